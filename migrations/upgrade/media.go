package upgrade

import (
	"fmt"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mediawiki"
)

// A viewer is a wiki that shows the files of another wiki, their owner, and reads the owner's
// tables with its own code. In the versions that were tried these tables are equal. If they
// differ, the viewer or the owner waits: the one whose code expects a column that the tables
// would lack. While the owner's tables are incomplete, the viewer's settings close it.

// isMember reports whether a tenant reads tables of others. Its pages are not requested while
// those wikis are closed.
func (j *Planned) isMember() bool { return len(j.tenant.ReadsFrom()) > 0 }

// checkMedia blocks a viewer whose new code can't read the owner's tables, and an owner whose
// new tables its viewers' code can't read.
func (p *Plan) checkMedia(j *Planned, rows map[string]ledger.Tenant, codebases map[string]*tenants.Codebase, code *mediawiki.Reading) {
	if owner := j.tenant.Media; owner != nil && j.own == 0 {
		now := code.Fault(j.tenant.Codebase, codebases[rows[owner.Name].Codebase])
		planned := p.of(owner.Name)
		switch {
		case now == "":
		case planned == nil || planned.own > 0 || code.Fault(j.tenant.Codebase, owner.Codebase) != "":
			j.block(fmt.Sprintf("%s, whose files it shows, comes first, as %s: wikictl upgrade %[1]s %[3]s", owner.Name, now, j.Name))
		default:
			j.needsMedia = true
		}
	}
	if len(j.tenant.Viewers) == 0 {
		return
	}
	for _, v := range j.tenant.Viewers {
		if rows[v.Name].State != ledger.Ready {
			continue
		}
		if why := code.Fault(codebases[rows[v.Name].Codebase], j.tenant.Codebase); why != "" {
			j.block(fmt.Sprintf("%s shows its files and would not find them: %s; upgrade it first", v.Name, why))
		}
	}
	j.Remarks = append(j.Remarks, fmt.Sprintf("%s: closed for a part of the time with it, showing its files", strings.Join(tenants.NamesOf(j.tenant.Viewers), ", ")))
}
