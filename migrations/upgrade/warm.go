package upgrade

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"wikictl/php"
	"wikictl/templates/deploy"
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

// prepare writes the releases of a wave for the new code beside those that are
// served, so that all of them are checked before any wiki is read-only.
func (u *upgrade) prepare(ctx context.Context, jobs []*Planned) {
	u.releases = map[string]deploy.Prepared{}
	for i, p := range u.releasesOf(ctx, jobs) {
		u.releases[jobs[i].Name] = p
	}
}

// releasesOf prepares the new releases of tenants, in their order.
func (u *upgrade) releasesOf(ctx context.Context, jobs []*Planned) []deploy.Prepared {
	prepared, err := u.Deploy.Prepare(ctx, deploy.Source{Len: len(jobs), At: func(i int) (deploy.Wanted, error) {
		return u.Wanted(jobs[i].tenant, jobs[i].tenant.Codebase)
	}})
	if err != nil {
		return slices.Repeat([]deploy.Prepared{{Err: err}}, len(jobs))
	}
	return prepared
}

// warmOne builds a cache by a tenant's settings for the new code.
func (u *upgrade) warmOne(ctx context.Context, j *Planned) (struct{}, error) {
	none := struct{}{}
	err := u.run.Step(j.Name, "messages", func() error {
		release := u.releasesOf(ctx, []*Planned{j})[0]
		if release.Err != nil {
			return release.Err
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
			Config: filepath.Join(u.Layout.Release(j.Name, release.Release), "LocalSettings.php"), Log: log, Limit: u.o.Limit,
		})
		return err
	})
	return none, err
}
