package rules

import (
	"context"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/session"
)

// Options select the scope of an audit.
type Options struct {
	Tenants []*tenants.Tenant // nil: all, and the farm as a whole
	Today   time.Time         // decides which versions have reached their end of life, and which ignores are valid
	Quick   bool              // Live requests nothing from wikis and reads no dumps
}

// Static applies the rules that need only the definitions and the codebases. The error is
// tenants.Problems if a [[policy]] or an [[ignore]] is invalid.
func Static(ctx context.Context, f *tenants.Farm, o Options) (audit.Report, error) {
	w, err := prepare(ctx, f, o)
	if err != nil {
		return audit.Report{}, err
	}
	return w.report(ctx)
}

// Live applies the rules of Static, and those that compare the definitions with the
// observed state: servers, ledger, disk, and the wikis' answers. It writes nothing and
// takes no lock, so h should be opened with session.Options.Inspect. An unreachable server
// is a finding.
func Live(ctx context.Context, h *session.Host, o Options) (audit.Report, *observe.Observed, error) {
	w, err := prepare(ctx, h.Farm, o)
	if err != nil {
		return audit.Report{}, nil, err
	}
	if w.observed, err = observe.Inspect(ctx, h, w.Scope); err != nil {
		return audit.Report{}, nil, err
	}
	r, err := w.report(ctx)
	return r, w.observed, err
}

// prepare reads policies, ignores and codebases.
func prepare(ctx context.Context, f *tenants.Farm, o Options) (*wanted, error) {
	w := &wanted{Scope: observe.Scope{Farm: f, List: o.Tenants, Whole: o.Tenants == nil, Quick: o.Quick}, today: o.Today}
	w.wikis = f.Layout().Wikis() + "/"
	if w.Whole {
		w.List = f.Tenants
	}
	var problems tenants.Problems
	w.policies, w.ignores = readPolicies(f, &problems), readIgnores(f, o.Today, &problems)
	if len(problems) > 0 {
		problems.Sort()
		return nil, problems
	}
	w.code, w.unread = observe.ReadCode(ctx, f, w.List)
	return w, nil
}

// report applies the rules.
func (w *wanted) report(ctx context.Context) (audit.Report, error) {
	r := newReporter(w.ignores)
	r.compare(w)
	return r.report(w), ctx.Err()
}

// wanted is the input of the rules: the definitions and the settings that the code
// declares.
type wanted struct {
	observe.Scope
	today    time.Time
	wikis    string                              // the path of all tenants' folders, with a slash at its end
	code     map[*tenants.Codebase]*observe.Code // of those that could be read
	unread   map[*tenants.Codebase]error         // errors of the others
	policies []policy
	ignores  []ignore
	observed *observe.Observed // nil: definitions only

	hostIndex hostIndex                  // see hosts
	databases map[string]*tenants.Tenant // see ownerOf
	defaults  map[string]tenants.Value   // see defaultOf, by the text of the default
	ends      map[[2]string]string       // see ended, by software and version
}

// subject is one tenant under audit.
type subject struct {
	*wanted
	tenant *tenants.Tenant
	code   *observe.Code // nil: its codebase can't be read
}

// compare applies all rules.
func (r *reporter) compare(w *wanted) {
	byName, always := settingRules()
	for _, t := range w.List {
		s := &subject{w, t, w.code[t.Codebase]}
		r.tenant = t.Name
		for name, v := range t.Settings {
			for _, rule := range always {
				r.rule = rule
				rule.setting(s, name, v, r)
			}
			for _, rule := range byName[name] {
				r.rule = rule
				rule.setting(s, name, v, r)
			}
		}
		for i := range rules {
			if r.rule = &rules[i]; r.rule.tenant != nil {
				r.rule.tenant(s, r)
			}
			if r.rule.observed != nil && w.observed != nil && (r.rule.busy || w.observed.Busy[t.Name] == "") {
				r.rule.observed(s, r)
			}
		}
	}
	r.tenant = ""
	for i := range rules {
		if r.rule = &rules[i]; r.rule.farm != nil && w.Whole {
			r.rule.farm(w, r)
		}
		if r.rule.observedFarm != nil && w.observed != nil {
			r.rule.observedFarm(w, r)
		}
	}
}
