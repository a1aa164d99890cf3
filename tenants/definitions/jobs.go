package definitions

import (
	"time"

	"wikictl/tenants"
)

// readJobs reads [jobs].
func (l *loader) readJobs(s *section) {
	j := &l.farm.Jobs
	j.Service = l.oneOf(s, "runner", "requests", "service") == "service"
	s.number("children", &j.Children, bound{1, 1000})
	j.Memory = 256 * tenants.MiB
	s.size("memory_limit", &j.Memory, bound{64 * tenants.MiB, 64 * tenants.GiB})
	seconds := int64(600)
	s.number("time_limit", &seconds, bound{1, 86400})
	j.TimeLimit = time.Duration(seconds) * time.Second
	s.list("weight", func(at tenants.Position, sub *section) {
		w := tenants.JobsWeight{Weight: 1, Position: at, Match: func(*tenants.Tenant) bool { return false }}
		where := sub.text("where")
		sub.number("weight", &w.Weight, bound{1, 1000})
		sub.end()
		const hint = `such as "class=handbook"`
		switch match, err := tenants.Match(where.value); {
		case !where.set() && !where.wrong:
			sub.report(at, "where", hint, "is missing")
		case where.set() && err != nil:
			sub.report(where.at, "where", hint, "%s", err)
		case where.set():
			w.Where, w.Match = where.value, match
		}
		j.Weights = append(j.Weights, w)
	})
	s.end()
}
