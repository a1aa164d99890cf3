// Package secrets defines the passwords and keys of tenants, which print as [secret], and
// their files.
package secrets

// Secret is a string that prints and marshals as [secret]. Reveal returns its value.
type Secret string

const masked = "[secret]"

// String returns the mask.
func (s Secret) String() string { return masked }

// GoString returns the mask, for %#v.
func (s Secret) GoString() string { return masked }

// MarshalText returns the mask, for encoders such as JSON's.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// Reveal returns the value.
func (s Secret) Reveal() string { return string(s) }

// Secrets is the content of state/secrets/NAME.toml of one tenant.
type Secrets struct {
	WebPassword    Secret // of Tenant.WebAccount
	SchemaPassword Secret // of Tenant.SchemaAccount
	SecretKey      Secret // $wgSecretKey: 64 hexadecimal digits
	UpgradeKey     Secret // $wgUpgradeKey: 16 hexadecimal digits
	Admin          string // user name of the first administrator
	AdminPassword  Secret // of that administrator, if wikictl made it
}

// Reveal returns all passwords and keys, for masking them in texts.
func (s Secrets) Reveal() []string {
	return []string{
		s.WebPassword.Reveal(), s.SchemaPassword.Reveal(), s.SecretKey.Reveal(), s.UpgradeKey.Reveal(), s.AdminPassword.Reveal(),
	}
}
