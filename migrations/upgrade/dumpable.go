package upgrade

import (
	"context"
	"slices"

	"wikictl/tenants/fleet"
	"wikictl/tenants/session"
)

// askDumps checks that each database can be dumped and restored exactly, before any wiki is
// made read-only in vain. It skips dumps by the user's own command, and interrupted tenants,
// whose dump exists.
func (p *Plan) askDumps(ctx context.Context, h *session.Host, o Options) error {
	if o.Backup == NoBackup || o.Backup == ByCommand {
		return nil
	}
	list, err := p.unusual(ctx, h)
	if err != nil {
		return err
	}
	options := fleet.Options[*Planned]{Jobs: 8, MaxFailures: fleet.NoLimit, Drain: o.Drain}
	results := fleet.Run(ctx, list, options, func(ctx context.Context, j *Planned) (struct{}, error) {
		s, err := h.Server(ctx, j.tenant.Server)
		if err != nil {
			return struct{}{}, err
		}
		for _, name := range append([]string{j.tenant.Database}, j.further...) {
			problems, remarks, err := s.Dumpable(ctx, name)
			if err != nil {
				return struct{}{}, err
			}
			j.Problems, j.Remarks = append(j.Problems, problems...), append(j.Remarks, remarks...)
		}
		return struct{}{}, nil
	})
	for _, r := range results {
		if r.Err != nil {
			r.Item.Problems = append(r.Item.Problems, r.Err.Error())
		}
	}
	return ctx.Err()
}

// unusual lists the tenants whose databases must be checked one by one.
func (p *Plan) unusual(ctx context.Context, h *session.Host) (list []*Planned, err error) {
	for _, def := range serversOf(p) {
		var able []*Planned
		var names []string
		for _, j := range p.Tenants {
			if j.tenant.Server == def && j.Interrupted == "" && len(j.Problems) == 0 {
				able, names = append(able, j), append(names, j.tenant.Database)
			}
		}
		if len(able) == 0 {
			continue
		}
		s, err := h.Server(ctx, def)
		if err != nil {
			return nil, err
		}
		if names, err = s.Unusual(ctx, names); err != nil {
			return nil, err
		}
		for _, j := range able {
			if slices.Contains(names, j.tenant.Database) || len(j.further) > 0 {
				list = append(list, j)
			}
		}
	}
	return list, nil
}
