package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"wikictl/php"
	"wikictl/tenants"
)

// lint checks the syntax of rendered files, each with the PHP of the code that will run
// it.
func (h *Host) lint(ctx context.Context, files []php.Source) error {
	groups := map[string][]php.Source{}
	for _, f := range files {
		groups[f.Program] = append(groups[f.Program], f)
	}
	var errs []error
	for _, program := range slices.Sorted(maps.Keys(groups)) {
		if program == "" {
			errs = append(errs, errors.New("no php program found to check rendered files; set php in [codebases]"))
			continue
		}
		errs = append(errs, php.Lint(ctx, program, groups[program]))
	}
	return errors.Join(errs...)
}

// LintDrafts checks the PHP of tenants that are to be created, rendered with placeholders
// for their secrets, and returns the errors by tenant.
func (h *Host) LintDrafts(ctx context.Context, list []*tenants.Tenant) map[string]error {
	failed := map[string]error{}
	for chunk := range slices.Chunk(list, draftsAtOnce) {
		var sound []*tenants.Tenant
		var files []php.Source
		for _, t := range chunk {
			drafted, err := h.Templates.Draft(h.Farm, t)
			if err != nil {
				failed[t.Name] = err
				continue
			}
			sound = append(sound, t)
			files = append(files, php.Source{Program: t.Codebase.PHP, Path: h.Layout.LocalSettings(t.Name), Text: drafted.LocalSettings})
		}
		h.lintHalves(ctx, sound, files, failed)
	}
	return failed
}

// draftsAtOnce limits the rendered files in memory.
const draftsAtOnce = 1000

// lintHalves finds the faulty files by bisection.
func (h *Host) lintHalves(ctx context.Context, list []*tenants.Tenant, files []php.Source, failed map[string]error) {
	if len(list) == 0 || ctx.Err() != nil {
		return
	}
	err := h.lint(ctx, files)
	switch half := len(list) / 2; {
	case err == nil || ctx.Err() != nil:
	case half == 0:
		failed[list[0].Name] = fmt.Errorf("its settings are not valid PHP: %w", err)
	default:
		h.lintHalves(ctx, list[:half], files[:half], failed)
		h.lintHalves(ctx, list[half:], files[half:], failed)
	}
}
