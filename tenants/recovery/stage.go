package recovery

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/disk"
)

// mayCloneOver is mayClone; with replace also for a tenant that is a staging copy of from, whose
// content is replaced.
func (k *task) mayCloneOver(ctx context.Context, from *tenants.Tenant, replace bool) error {
	if !replace || k.row.Name == "" {
		return k.mayClone(ctx)
	}
	text, err := k.Deploy.Definition(k.tenant.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if k.tenant.StageOf != from.Name || definitions.DefinedStage(text) != from.Name {
		return blocked("it exists, and is not a staging copy of %s that wikictl stage made: its content stays", from.Name)
	}
	return k.mayBackUp(ctx)
}

// renews reports whether the restore replaces the content of a staging copy. That is not backed
// up, because its wiki has the original.
func (r *restoration) renews() bool { return r.Keys && !r.Fresh }

// PlaceDefinition writes a definition among the farm's files, and returns a function that
// restores the earlier file, or removes the new one.
func PlaceDefinition(path string, text []byte, mode fs.FileMode) (back func() error, err error) {
	before, err := disk.Read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		back = func() error { return os.Remove(path) }
	case err != nil:
		return nil, err
	default:
		back = func() error { return deploy.WriteFile(path, before, 0o644, -1) }
	}
	return back, deploy.WriteFile(path, text, mode, -1)
}
