package templates

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/secrets"
)

// placeholder replaces each secret when a tenant is rendered for a check.
const placeholder = secrets.Secret("placeholder")

// Check renders every tenant in memory, so that every reason to refuse a tenant is known before
// the first change. It renders tenants for which known has no secrets with placeholders, and
// only one of several that are alike. If known is nil, no tenant has any. The problems of a tenant
// become its faults. The error is tenants.Problems if the mistake is the farm's: in the virtual
// host for names of no tenant, or common to all tenants.
func (s *Set) Check(ctx context.Context, f *tenants.Farm, known SecretsOf) error {
	if _, err := s.Default(f); err != nil {
		return err
	}
	list := slices.DeleteFunc(slices.Clone(f.Tenants), (*tenants.Tenant).Blocked)
	refused := make([]tenants.Problems, len(list))
	like := s.likeness(f)
	chunks := slices.Collect(slices.Chunk(fleet.Indexes(len(list)), checkedAtOnce))
	options := fleet.Options[[]int]{Jobs: runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit}
	fleet.Run(ctx, chunks, options, func(_ context.Context, chunk []int) (struct{}, error) {
		for _, i := range chunk {
			refused[i] = s.refused(f, list[i], known, like)
		}
		return struct{}{}, nil
	})
	if shared := ofAll(list, refused); len(shared) > 0 {
		return shared
	}
	for i, t := range list {
		for _, p := range refused[i] {
			t.Fault(p)
			s.forget(f)
		}
	}
	return ctx.Err()
}

// forget drops the files rendered for a farm, and the values that its tenants share: they include
// tenants that are blocked now.
func (s *Set) forget(f *tenants.Farm) {
	s.mu.Lock()
	delete(s.fleets, f)
	s.mu.Unlock()
	s.kept.clear()
}

// checkedAtOnce is the number of tenants that a goroutine takes at a time.
const checkedAtOnce = 64

// refused returns the reasons why a tenant can't be rendered.
func (s *Set) refused(f *tenants.Farm, t *tenants.Tenant, known SecretsOf, like *likeness) (problems tenants.Problems) {
	defer func() {
		if v := recover(); v != nil {
			problems = tenants.Problems{{Position: t.Position, Message: fmt.Sprintf("its files can't be rendered: panic: %v", v)}}
		}
	}()
	if known != nil && s.Same != nil && s.Same(t) {
		return nil
	}
	var secrets secrets.Secrets
	key, ok := "", false
	if known != nil {
		secrets, ok = known(t)
	}
	if !ok {
		secrets, key = placeholders(), like.key(t)
	}
	if like.has(key) {
		return nil
	}
	_, err := s.Render(Data{Farm: f, Tenant: t, Codebase: t.Codebase, Secrets: secrets, draft: known == nil})
	switch {
	case err == nil:
		like.add(key)
	case !errors.As(err, &problems):
		problems = tenants.Problems{{Position: t.Position, Message: err.Error()}}
	}
	return problems
}

// Draft renders a tenant for its wanted code, with placeholders for secrets.
func (s *Set) Draft(f *tenants.Farm, t *tenants.Tenant) (Rendered, error) {
	return s.Render(Data{Farm: f, Tenant: t, Codebase: t.Codebase, Secrets: placeholders()})
}

func placeholders() secrets.Secrets {
	return secrets.Secrets{
		WebPassword: placeholder, SchemaPassword: placeholder, SecretKey: placeholder, UpgradeKey: placeholder, AdminPassword: placeholder,
	}
}

// ofAll returns the problems that all tenants have from a file that is not their own.
func ofAll(list []*tenants.Tenant, refused []tenants.Problems) (shared tenants.Problems) {
	if len(list) == 0 {
		return nil
	}
	for _, p := range refused[0] {
		everywhere := true
		for i, t := range list {
			own := t.Position.File == p.Position.File
			everywhere = everywhere && !own && slices.Contains(refused[i], p)
		}
		if everywhere {
			shared = append(shared, p)
		}
	}
	return shared
}
