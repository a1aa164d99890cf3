// Package secrets has the passwords and keys of tenants, which print as [secret], and their
// files.
package secrets

// Secret is a string that must not be seen: however it is printed or marshalled
// as text, it is [secret]. Reveal gives the value to the code that needs it.
type Secret string

const masked = "[secret]"

// String hides the value.
func (s Secret) String() string { return masked }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return masked }

// MarshalText hides the value from encoders such as JSON's.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// Reveal returns the value.
func (s Secret) Reveal() string { return string(s) }

// Secrets are what state/secrets/NAME.toml holds for one tenant.
type Secrets struct {
	WebPassword    Secret // of Tenant.WebAccount
	SchemaPassword Secret // of Tenant.SchemaAccount
	SecretKey      Secret // $wgSecretKey: 64 hexadecimal digits
	UpgradeKey     Secret // $wgUpgradeKey: 16 hexadecimal digits
	Admin          string // user name of the first administrator
	AdminPassword  Secret // of that administrator, when wikictl made it
}

// Reveal returns every password and key, for looking for them in what is shown.
func (s Secrets) Reveal() []string {
	return []string{
		s.WebPassword.Reveal(), s.SchemaPassword.Reveal(), s.SecretKey.Reveal(), s.UpgradeKey.Reveal(), s.AdminPassword.Reveal(),
	}
}
