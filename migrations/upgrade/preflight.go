package upgrade

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/session"
)

// inspect finds the problems of the tenants on servers, in PHP, on disk and in the web
// server, and assigns them to waves.
func (p *Plan) inspect(ctx context.Context, h *session.Host, l *ledger.Ledger, o Options) error {
	history, err := l.LastUpgraded(ctx)
	if err != nil {
		return err
	}
	for _, def := range serversOf(p) {
		err := p.inspectServer(ctx, h, l, def)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			p.blockServer(def, err)
		}
	}
	if err := p.inspectCode(ctx, h, o); err != nil {
		return err
	}
	p.checkSteps(h)
	if err := p.askDumps(ctx, h, o); err != nil {
		return err
	}
	if err := p.foresee(ctx, h, l, o); err != nil {
		return err
	}
	if err := p.assign(o); err != nil {
		return err
	}
	p.ownersFirst()
	p.Digest = p.digest()
	p.askWeb(ctx, h)
	p.remarkWithdrawn(ctx, h)
	for _, j := range p.Tenants {
		j.checkVhost(h)
	}
	if err := p.readFiles(ctx, h); err != nil {
		return err
	}
	p.checkSpace(h.Layout, history, o)
	p.addUp(o.Jobs)
	return nil
}

// remarkWithdrawn adds remarks about content of extensions that the definition drops.
func (p *Plan) remarkWithdrawn(ctx context.Context, h *session.Host) {
	var list []*tenants.Tenant
	for _, j := range p.Tenants {
		if j.own == 0 && j.Interrupted == "" {
			list = append(list, j.tenant)
		}
	}
	remarks := h.Withdrawn(ctx, list)
	for _, j := range p.Tenants {
		j.Remarks = append(j.Remarks, remarks[j.Name]...)
	}
}

// checkVhost adds a remark about a virtual host that does not test for the maintenance page:
// one of an older wikictl, or one of a template of the farm's own.
func (j *Planned) checkVhost(h *session.Host) {
	if h.Farm.Web.Map { // the one virtual host of all tenants tests by a variable
		return
	}
	text, err := os.ReadFile(h.Layout.Vhost(j.Name))
	if err == nil && !strings.Contains(string(text), h.Layout.Maintenance(j.Name)) {
		j.Remarks = append(j.Remarks, "its virtual host does not test for the maintenance page: readers get errors while its database changes; run wikictl apply "+j.Name+" first, or see wikictl help rendering if the template is your own")
	}
}

// blockServer blocks the tenants on an unreachable server.
func (p *Plan) blockServer(def *tenants.Server, err error) {
	for _, j := range p.Tenants {
		if j.tenant.Server == def {
			j.block(session.ServerFault(def, err).String())
		}
	}
}

// inspectServer inspects a server and its databases.
func (p *Plan) inspectServer(ctx context.Context, h *session.Host, l *ledger.Ledger, def *tenants.Server) error {
	s, err := h.Server(ctx, def)
	if err != nil {
		return err
	}
	here := map[string]*Planned{}
	for _, j := range p.Tenants {
		if j.tenant.Server == def {
			here[j.tenant.Database] = j
		}
	}
	shapes := mediawiki.NewShapes(h.Farm.Codebases)
	facts, err := s.Facts(ctx, shapes.Columns()...)
	if err != nil {
		return err
	}
	for database, f := range facts {
		f.Level = shapes.LevelOf(f.Level, f.Has)
		facts[database] = f
	}
	var queues []string
	further, err := l.Databases(ctx)
	if err != nil {
		return err
	}
	for database, j := range here {
		j.checkSchema(facts[database], h.Farm.Codebases[j.row.Codebase], h.Farm.Codebases)
		if err := j.checkFurther(ctx, s, further, facts); err != nil {
			return err
		}
		if facts[database].HasJobs {
			queues = append(queues, database)
		}
	}
	jobs, err := s.QueuedJobs(ctx, queues)
	if err != nil { // a client has locked such a table; that blocks nothing
		for _, j := range here {
			j.Remarks = append(j.Remarks, "the queued jobs can't be counted: "+err.Error())
		}
	}
	holders, err := s.Holders(ctx, l, slices.Collect(maps.Keys(here)))
	if err != nil {
		return err
	}
	replication, err := s.Replication(ctx)
	if err != nil {
		return err
	}
	lagging, unknown := h.LeftOut(ctx, def)
	for database, j := range here {
		j.Remarks, j.Problems = append(j.Remarks, lagging...), append(j.Problems, unknown...)
		j.Jobs, j.Locked = jobs[database], holders[database]
		if j.Locked != "" {
			j.Problems = append(j.Problems, "it is locked by "+j.Locked)
		}
		j.checkServer(def, replication)
	}
	return nil
}

func (j *Planned) checkServer(def *tenants.Server, r mariadb.Replication) {
	if r.ReadOnly {
		j.Problems = append(j.Problems, fmt.Sprintf("the server %s is read-only; name the primary in [servers.%s]", def.Name, def.Name))
	}
	if len(r.Behind) > 0 {
		j.Remarks = append(j.Remarks, fmt.Sprintf("replicas of the server %s are behind: %s", def.Name, strings.Join(r.Behind, ", ")))
	}
}

// inspectCode compares the requirements of the new code with the PHP that runs the
// updater and with the libraries beside it, and checks the settings.
func (p *Plan) inspectCode(ctx context.Context, h *session.Host, o Options) error {
	libraries := map[*tenants.Codebase][]string{}
	var list []*tenants.Tenant
	for _, j := range p.Tenants {
		c := j.tenant.Codebase
		if j.own > 0 {
			continue
		}
		platform, err := h.Platform(ctx, c) // for the obstacles below
		if err != nil {
			return err
		}
		if missing := deploy.SecretsMissing(h.Layout, j.Name); missing != "" {
			j.block(missing)
		}
		j.Problems = append(j.Problems, mediawiki.PlatformProblems(j.tenant, c, platform.Version, platform.Extensions)...)
		if !j.code {
			continue
		}
		if _, known := libraries[c]; !known {
			libraries[c] = mediawiki.LibraryProblems(c)
		}
		j.Problems = append(j.Problems, libraries[c]...)
		list = append(list, j.tenant)
	}
	if o.Settings == nil || len(list) == 0 {
		return nil
	}
	stop, remarks, err := o.Settings(ctx, list)
	for _, j := range p.Tenants {
		j.Problems = append(j.Problems, stop[j.Name]...)
		j.Remarks = append(j.Remarks, remarks[j.Name]...)
	}
	return err
}

// checkSchema compares the actual schema with the start and the end of the upgrade; old
// is the wiki's current codebase, nil if it is gone, and all are the farm's. An
// interrupted upgrade may have any schema: it is checked after the interruption is
// resolved.
func (j *Planned) checkSchema(f mariadb.Facts, old *tenants.Codebase, all map[string]*tenants.Codebase) {
	j.Level, j.Bytes, j.shape = f.Level, f.Bytes, f.Shape()
	if f.Level == "" {
		j.Level = mediawiki.NoTables
	}
	if j.Interrupted != "" || j.row.State != ledger.Ready {
		return
	}
	if problem := schemaProblem(j.Level, j.row.Version, j.tenant.Codebase, j.tenant.Database, all); problem != "" {
		j.Problems = append(j.Problems, problem)
		return
	}
	if !j.code || old == nil || len(old.Faults)+len(j.tenant.Codebase.Faults) > 0 {
		return
	}
	switch missing, err := mediawiki.Unmade(old.Path, j.tenant.Codebase.Path, f.Has); {
	case err != nil:
		j.block(err.Error())
	case len(missing) > 0:
		j.Problems = append(j.Problems, mediawiki.UnmadeProblem(missing, j.tenant.Codebase))
	}
}

func (p *Plan) blockAll(problem string) {
	for _, j := range p.Tenants {
		j.Problems = append(j.Problems, problem)
	}
}

// askWeb probes the wikis that are not interrupted: a wiki that does not answer as itself
// could not pass the probe after its upgrade. If none answers, the web server or php-fpm
// is at fault, which is reported once.
func (p *Plan) askWeb(ctx context.Context, h *session.Host) {
	asked := slices.DeleteFunc(slices.Clone(p.Tenants), func(j *Planned) bool {
		return j.Interrupted != "" || len(j.Problems) > 0 || !deploy.Exists(h.Layout.Vhost(j.Name))
	})
	options := fleet.Options[*Planned]{Jobs: 2 * runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit}
	silent := map[*Planned]error{}
	for _, r := range fleet.Run(ctx, asked, options, func(ctx context.Context, j *Planned) (struct{}, error) {
		return struct{}{}, h.Ask(ctx, j.tenant)
	}) {
		if r.Err != nil {
			silent[r.Item] = r.Err
		}
	}
	if len(asked) > 1 && len(silent) == len(asked) {
		p.blockAll(fmt.Sprintf("the web server serves none of the %d wikis to upgrade in its current state, such as %s: %s", len(asked), asked[0].Name, silent[asked[0]]))
		return
	}
	for j, err := range silent {
		j.Problems = append(j.Problems, "the web server does not serve it in its current state: "+err.Error())
	}
}
