package upgrade

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/php"
	"wikictl/templates/deploy"
	"wikictl/tenants/fleet"
	"wikictl/tenants/session"
)

// warmth identifies a localisation cache that several tenants share.
type warmth struct{ path, set, language string }

func warmthOf(j *Planned) warmth {
	c := j.tenant.Codebase
	return warmth{c.Path, j.tenant.MessageSet(c), j.tenant.Language}
}

// examples is the number of tenants whose settings are tried to build a cache.
const examples = 3

// warmAll builds each localisation cache of the new code once, before the first wave, instead
// of in the first visitor's request. Because the new code then reads a tenant's settings for
// the first time, faults of its extensions show before any wiki is read-only. The errors are
// by tenant: of a tenant whose own settings are at fault, or of all tenants that share a cache
// if none of their settings can build it.
func (u *upgrade) warmAll(ctx context.Context, p *Plan) map[string]error {
	sharing := map[warmth][]*Planned{}
	for _, j := range p.Tenants {
		if j.code && len(j.Problems) == 0 && !u.isWarm(j) {
			sharing[warmthOf(j)] = append(sharing[warmthOf(j)], j)
		}
	}
	failed := map[string]error{}
	options := fleet.Options[[]*Planned]{Jobs: u.o.Jobs, MaxFailures: fleet.NoLimit, Drain: u.o.Drain}
	for _, r := range fleet.Run(ctx, slices.Collect(maps.Values(sharing)), options, u.warmOne) {
		for name, err := range r.Value {
			failed[name] = err
		}
		if r.Err == nil {
			continue
		}
		for _, j := range r.Item {
			if failed[j.Name] == nil {
				failed[j.Name] = r.Err
			}
		}
	}
	return failed
}

// isWarm reports whether a tenant already runs on the wanted code, with an existing
// cache.
func (u *upgrade) isWarm(j *Planned) bool {
	w := warmthOf(j)
	return j.Interrupted == "" && j.row.ComponentSet == w.set && u.HasMessages(j.tenant, j.tenant.Codebase)
}

// warmOne builds a cache with the settings of the first tenant for which that succeeds.
// The tenants before it have errors of their own; if all have the same error, the code is
// at fault.
func (u *upgrade) warmOne(ctx context.Context, sharing []*Planned) (map[string]error, error) {
	failed := map[string]error{}
	var err error
	for _, j := range sharing[:min(len(sharing), examples)] {
		if err = u.warmBy(ctx, j); err == nil || ctx.Err() != nil {
			return failed, err
		}
		err = fmt.Errorf("build the messages of MediaWiki %s in %s: %w", j.New, j.tenant.Language, err)
		failed[j.Name] = err
	}
	if same(failed) {
		return failed, err
	}
	return failed, fmt.Errorf("by the settings of %s: %w", sharing[min(len(sharing), examples)-1].Name, err)
}

// same reports whether all errors have the same text.
func same(errs map[string]error) bool {
	texts := map[string]bool{}
	for _, err := range errs {
		texts[err.Error()] = true
	}
	return len(texts) == 1
}

// prepare writes the releases of a wave for the new code without serving them, so that
// all are checked before any wiki is read-only.
func (u *upgrade) prepare(ctx context.Context, jobs []*Planned) {
	u.releases = map[string]deploy.Prepared{}
	for i, p := range u.releasesOf(ctx, jobs) {
		u.releases[jobs[i].Name] = p
	}
}

// releasesOf prepares the new releases of tenants, in their order.
func (u *upgrade) releasesOf(ctx context.Context, jobs []*Planned) []deploy.Prepared {
	prepared, err := u.Deploy.Prepare(ctx, deploy.Source{Len: len(jobs), At: func(i int) (deploy.Wanted, error) {
		return u.Wanted(ctx, jobs[i].tenant, jobs[i].tenant.Codebase)
	}})
	if err != nil {
		return slices.Repeat([]deploy.Prepared{{Err: err}}, len(jobs))
	}
	return prepared
}

// warmBy builds a cache with a tenant's settings for the new code.
func (u *upgrade) warmBy(ctx context.Context, j *Planned) error {
	return u.run.Step(j.Name, "messages", func() error {
		release := u.releasesOf(ctx, []*Planned{j})[0]
		if release.Err != nil {
			return release.Err
		}
		const script = "rebuildLocalisationCache.php"
		_, err := u.script(ctx, j.Name, script, j.tenant.Codebase, php.Job{
			Script: session.Maintenance(j.tenant.Codebase, script),
			Args:   []string{"--lang=" + j.tenant.Language, "--no-database", "--quiet"},
			Config: filepath.Join(u.Layout.Release(j.Name, release.Release), "LocalSettings.php"),
		})
		return err
	})
}

// unchanging are settings for a page of a scratch copy: a request runs no job and writes
// nothing.
const unchanging = `<?php
require __DIR__ . '/%s';
$wgReadOnly = 'This is a copy.';
$wgJobRunRate = 0;
`

// compile makes php-fpm render a page of a scratch copy by the new code. The first page
// compiles the code, which takes seconds: all wikis of the first wave would wait for it,
// read-only. A failure only leaves that to them.
func (u *upgrade) compile(ctx context.Context, copies []*scratch) {
	i := slices.IndexFunc(copies, func(s *scratch) bool { return s.config != "" })
	if i < 0 || u.Farm.Web.Pools || u.Farm.Web.FPM == "" {
		return
	}
	file := strings.TrimSuffix(copies[i].config, ".php") + "-page.php"
	if deploy.WriteFile(file, fmt.Appendf(nil, unchanging, filepath.Base(copies[i].config)), 0o600, -1) != nil || u.Give(file) != nil {
		return
	}
	_ = php.Compile(ctx, u.Farm.Web.FPM, copies[i].example().tenant.Codebase.Path, file)
}
