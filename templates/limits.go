package templates

import (
	"strings"

	"wikictl/tenants"
)

// limit sets what bounds the requests of a tenant.
func (v *View) limit() {
	t := v.Tenant
	v.Symbol = symbol.Replace(t.Name)
	v.Limited = t.Limits != (tenants.Limits{})
	v.RequestRate = strings.Replace(t.Limits.Requests, "/", "r/", 1)
}

// symbol makes parts of variables' names out of names of tenants, no two of which are alike.
var symbol = strings.NewReplacer("_", "_u", "-", "_d")
