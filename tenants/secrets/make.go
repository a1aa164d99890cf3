package secrets

import (
	"crypto/rand"
	"encoding/hex"
)

// New returns new passwords and keys of a tenant. admin is the name of its administrator;
// an empty password is replaced by a random one.
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

// randomText returns at least 128 random bits as letters and digits, which need no
// quoting in shells, URLs and configuration files.
func randomText() Secret { return Secret(rand.Text()) }

// RandomHex returns n random hexadecimal digits.
func RandomHex(n int) Secret {
	b := make([]byte, n/2)
	rand.Read(b)
	return Secret(hex.EncodeToString(b))
}
