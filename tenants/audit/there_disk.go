package audit

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/host"
)

// diskState is what is below the state folder of one tenant.
type diskState struct {
	readOnly time.Time // since when its read-only file is there; zero: it is not
}

// lookAtDisk looks at the folders of tenants.
func lookAtDisk(_ context.Context, h *host.Host, list []*tenants.Tenant) (map[string]diskState, error) {
	states := map[string]diskState{}
	for _, t := range list {
		var s diskState
		info, err := os.Stat(h.Layout.ReadOnly(t.Name))
		if err == nil {
			s.readOnly = info.ModTime()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		states[t.Name] = s
	}
	return states, nil
}
