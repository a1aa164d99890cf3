package templates

import (
	"strings"

	"wikictl/tenants"
)

// limit sets the bounds for the requests of a tenant.
func (v *View) limit() {
	t := v.Tenant
	v.Symbol = symbol.Replace(t.Name)
	v.Limited = t.Limits != (tenants.Limits{})
	v.RequestRate = strings.Replace(t.Limits.Requests, "/", "r/", 1)
}

// symbol converts names of tenants to unique parts of variables' names.
var symbol = strings.NewReplacer("_", "_u", "-", "_d")
