package mediawiki

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"

	"wikictl/tenants/secrets"
)

// How MediaWiki 1.39 and 1.43 hash a new password: $wgPasswordConfig['pbkdf2'] in
// MainConfigSchema. A wiki with another configuration rehashes the password at the first
// log-in.
const (
	pbkdf2Rounds = 30000
	pbkdf2Length = 64 // bytes
	pbkdf2Salt   = 16 // bytes
)

// HashPassword returns the value of user.user_password for a password, in the format of
// MediaWiki's Pbkdf2PasswordUsingOpenSSL.
func HashPassword(password secrets.Secret) (string, error) {
	salt := make([]byte, pbkdf2Salt)
	rand.Read(salt)
	key, err := pbkdf2.Key(sha512.New, password.Reveal(), salt, pbkdf2Rounds, pbkdf2Length)
	if err != nil {
		return "", fmt.Errorf("hash the administrator's password: %w", err)
	}
	return fmt.Sprintf(":pbkdf2:sha512:%d:%d:%s:%s", pbkdf2Rounds, pbkdf2Length,
		base64.StdEncoding.EncodeToString(salt), base64.StdEncoding.EncodeToString(key)), nil
}
