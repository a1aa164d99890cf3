package secrets

import (
	"fmt"

	"github.com/pelletier/go-toml/v2"
)

// secretFile is the structure of state/secrets/NAME.toml.
type secretFile struct {
	WebPassword    string `toml:"web_password" comment:"of the account that the wiki serves with"`
	SchemaPassword string `toml:"schema_password" comment:"of the account that update.php changes the schema with"`
	SecretKey      string `toml:"secret_key" comment:"$wgSecretKey"`
	UpgradeKey     string `toml:"upgrade_key" comment:"$wgUpgradeKey"`
	Admin          string `toml:"admin" comment:"the first administrator's log-in; change the password in the wiki"`
	AdminPassword  string `toml:"admin_password"`
}

// EncodeSecrets returns the content of a tenant's secrets file.
func EncodeSecrets(s Secrets) ([]byte, error) {
	return toml.Marshal(secretFile{
		s.WebPassword.Reveal(), s.SchemaPassword.Reveal(), s.SecretKey.Reveal(),
		s.UpgradeKey.Reveal(), s.Admin, s.AdminPassword.Reveal(),
	})
}

// DecodeSecrets decodes a tenant's secrets file. A missing key is an error.
func DecodeSecrets(data []byte) (Secrets, error) {
	var f secretFile
	if err := toml.Unmarshal(data, &f); err != nil {
		return Secrets{}, err
	}
	if f.WebPassword == "" || f.SchemaPassword == "" || f.SecretKey == "" || f.UpgradeKey == "" {
		return Secrets{}, fmt.Errorf("a password or key is missing")
	}
	return Secrets{
		Secret(f.WebPassword), Secret(f.SchemaPassword), Secret(f.SecretKey),
		Secret(f.UpgradeKey), f.Admin, Secret(f.AdminPassword),
	}, nil
}
