package upgrade

import (
	"context"

	"wikictl/tenants/fleet"
	"wikictl/tenants/host"
)

// askDumps looks whether each database can be dumped and brought back as it is: a
// run that finds out later has made the wiki read-only for nothing. Dumps by the
// operator's command are the operator's to judge, and an interrupted tenant has its
// dump.
func (p *Plan) askDumps(ctx context.Context, h *host.Host, o Options) error {
	if o.Backup == NoBackup || o.Backup == ByCommand {
		return nil
	}
	var list []*Planned
	for _, j := range p.Tenants {
		if j.Interrupted == "" && len(j.Problems) == 0 {
			list = append(list, j)
		}
	}
	options := fleet.Options[*Planned]{Jobs: 8, MaxFailures: fleet.NoLimit, Drain: o.Drain}
	results := fleet.Run(ctx, list, options, func(ctx context.Context, j *Planned) (struct{}, error) {
		s, err := h.Server(ctx, j.tenant.Server)
		if err != nil {
			return struct{}{}, err
		}
		problems, remarks, err := s.Dumpable(ctx, j.tenant.Database)
		j.Problems, j.Remarks = append(j.Problems, problems...), append(j.Remarks, remarks...)
		return struct{}{}, err
	})
	for _, r := range results {
		if r.Err != nil {
			r.Item.Problems = append(r.Item.Problems, r.Err.Error())
		}
	}
	return ctx.Err()
}
