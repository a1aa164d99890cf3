package templates

import (
	"slices"

	"wikictl/tenants"
)

// Alike renders the LocalSettings.php of a tenant with the same names, addresses and
// secrets for all tenants. Tenants with equal results differ in nothing else: if PHP can
// load the settings of one, it can load those of the others. The result is empty if code of
// the farm's own could depend on names: an own template, or an expression ({ php = "…" }).
func (s *Set) Alike(d Data) (string, error) {
	if s.infos[LocalSettings].Own() || len(d.Tenant.Include) > 0 || hasExpression(d.Tenant.Settings) {
		return "", nil
	}
	t := *d.Tenant
	t.Name, t.Database, t.Sitename, t.Hosts, t.Files = "x", "x", "X", []string{"x.invalid"}, nil
	d.Tenant = &t
	d.Secrets = placeholders()
	v, err := s.view(d)
	if err != nil {
		return "", err
	}
	text, err := s.execute(LocalSettings, v)
	return string(text), err
}

// hasExpression reports whether a setting is a PHP expression, at any depth.
func hasExpression(members map[string]tenants.Value) bool {
	for _, v := range members {
		if isExpression(v) {
			return true
		}
	}
	return false
}

func isExpression(v tenants.Value) bool {
	switch data := v.Data.(type) {
	case tenants.PHP:
		return true
	case map[string]tenants.Value:
		return hasExpression(data)
	case *tenants.Operation:
		return slices.ContainsFunc(data.Values(), isExpression)
	case []tenants.Value:
		for _, one := range data {
			if isExpression(one) {
				return true
			}
		}
	}
	return false
}
