package upgrade

import (
	"context"
	"fmt"
	"path/filepath"

	"wikictl/php"
	"wikictl/tenants/fleet"
)

// warmth names a localisation cache that several tenants share.
type warmth struct{ path, set, language string }

func warmthOf(j *Planned) warmth {
	c := j.tenant.Codebase
	return warmth{c.Path, j.tenant.ComponentSet(c), j.tenant.Language}
}

// warmAll builds each localisation cache that the new code needs once, before
// the first wave, and not by the first visitor. It also is the first time that
// the new code reads a tenant's settings: what is wrong with its extensions shows
// before any wiki is read-only. The errors are by cache.
func (u *upgrade) warmAll(ctx context.Context, p *Plan) map[warmth]error {
	var examples []*Planned
	result := map[warmth]error{}
	for _, j := range p.Tenants {
		if _, has := result[warmthOf(j)]; has || !j.code || len(j.Problems) > 0 {
			continue
		}
		result[warmthOf(j)] = nil
		examples = append(examples, j)
	}
	for _, r := range fleet.Run(ctx, examples, fleet.Options[*Planned]{Jobs: u.o.Jobs, MaxFailures: fleet.NoLimit, Drain: u.o.Drain}, u.warmOne) {
		if r.Err != nil {
			result[warmthOf(r.Item)] = fmt.Errorf("build the messages of MediaWiki %s in %s: %w", r.Item.New, r.Item.tenant.Language, r.Err)
		}
	}
	return result
}

// warmOne builds a cache by a tenant's settings for the new code.
func (u *upgrade) warmOne(ctx context.Context, j *Planned) (struct{}, error) {
	none := struct{}{}
	err := u.run.Step(j.Name, "messages", func() error {
		w, err := u.Wanted(j.tenant, j.tenant.Codebase)
		if err != nil {
			return err
		}
		release, err := u.Deploy.Prepare(ctx, w)
		if err != nil {
			return err
		}
		server, err := u.PHP(ctx, j.tenant.Codebase)
		if err != nil {
			return err
		}
		log, err := u.Log(j.Name, "rebuildLocalisationCache.php")
		if err != nil {
			return err
		}
		_, err = server.Run(ctx, php.Job{
			Script: filepath.Join(j.tenant.Codebase.Path, "maintenance", "rebuildLocalisationCache.php"),
			Args:   []string{"--lang=" + j.tenant.Language, "--no-database", "--quiet"},
			Config: filepath.Join(u.Layout.Release(j.Name, release), "LocalSettings.php"), Log: log, Limit: u.o.Limit,
		})
		return err
	})
	return none, err
}
