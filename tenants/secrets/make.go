package secrets

import (
	"crypto/rand"
	"encoding/hex"
)

// New makes a tenant's passwords and keys. admin is the name of its
// administrator; an empty password is made up as well.
func New(admin string, password Secret) Secrets {
	if password == "" {
		password = randomText()
	}
	return Secrets{
		WebPassword:    randomText(),
		SchemaPassword: randomText(),
		SecretKey:      RandomHex(64),
		UpgradeKey:     RandomHex(16),
		Admin:          admin,
		AdminPassword:  password,
	}
}

// randomText is at least 128 bits in letters and digits that no shell, URL or
// configuration file takes for anything else.
func randomText() Secret { return Secret(rand.Text()) }

// RandomHex is n hexadecimal digits.
func RandomHex(n int) Secret {
	b := make([]byte, n/2)
	rand.Read(b)
	return Secret(hex.EncodeToString(b))
}
