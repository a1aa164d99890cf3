package deploy

import (
	"context"
	"errors"
	"fmt"
)

// commitSound is a commit that leaves out the tenants that the web server's check refuses,
// which it finds by halves. The error concerns all tenants, such as when the check fails
// without any of the changes.
func (d *Deployer) commitSound(ctx context.Context, j journal, moved map[string]string) (reloaded bool, refused map[string]error, err error) {
	reloaded, err = d.commitAround(ctx, j)
	if !refusal(err) || len(j.Swaps) == 0 || ctx.Err() != nil {
		return reloaded, nil, err
	}
	if before := d.Check(ctx); before != nil {
		if reloaded, before = d.around(ctx, journal{}, before); before != nil {
			return false, nil, fmt.Errorf("%w\n(the web server refuses its existing configuration, too, without the changes of this run%s)", before, d.suspects(before))
		}
	}
	if j.Default != "" {
		if reloaded, err = d.commit(ctx, journal{Default: j.Default, DefaultData: j.DefaultData}); err != nil {
			return reloaded, nil, err
		}
	}
	h := halving{d: d, refused: map[string]error{}, reloaded: reloaded}
	if len(j.Swaps) == 1 && !j.common() && len(j.Files) == 0 { // this single change was tried above
		h.refused[j.Swaps[0].Tenant] = err
		return reloaded, h.refused, nil
	}
	err = h.try(ctx, units(j.Swaps, moved))
	return h.reloaded, h.refused, err
}

// refusal reports whether an error comes from the web server's check alone; then the
// earlier state is restored.
func refusal(err error) bool {
	var hook *HookError
	if !errors.As(err, &hook) || hook.Hook != checkHook {
		return false
	}
	joined, several := err.(interface{ Unwrap() []error })
	return !several || len(joined.Unwrap()) == 1
}

// units groups the changes that belong together: those of a tenant, and the withdrawal of
// its earlier name.
func units(swaps []swap, moved map[string]string) [][]swap {
	at := map[string]int{}
	var all [][]swap
	for _, s := range swaps {
		name := s.Tenant
		if to, is := moved[name]; is && s.Out {
			name = to
		}
		i, seen := at[name]
		if !seen {
			i = len(all)
			at[name] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], s)
	}
	return all
}

// halving finds the changes that the web server's check refuses.
type halving struct {
	d        *Deployer
	refused  map[string]error
	reloaded bool
}

func (h *halving) try(ctx context.Context, part [][]swap) error {
	var j journal
	for _, unit := range part {
		j.Swaps = append(j.Swaps, unit...)
	}
	reloaded, err := h.d.commit(ctx, j)
	h.reloaded = h.reloaded || reloaded
	switch half := len(part) / 2; {
	case !refusal(err):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case half == 0:
		for _, s := range part[0] {
			h.refused[s.Tenant] = err
		}
		return nil
	default:
		if err := h.try(ctx, part[:half]); err != nil {
			return err
		}
		return h.try(ctx, part[half:])
	}
}

// refuse records why tenants keep their earlier configuration.
func (a *Applied) refuse(refused map[string]error) {
	for i, o := range a.Outcomes {
		if err := refused[o.Tenant]; err != nil {
			a.Outcomes[i].Err = err
			delete(refused, o.Tenant)
		}
	}
	for tenant, err := range refused { // of an interrupted run
		a.Outcomes = append(a.Outcomes, Outcome{Tenant: tenant, Err: err})
	}
}
