package session

import (
	"context"
	"fmt"
	"os"
	"sync"

	"wikictl/tenants"
	"wikictl/tenants/machine"
)

// webSide knows which folders the users of PHP and nginx may enter, for one look at many
// tenants.
type webSide struct {
	farm   *tenants.Farm
	worker string // of nginx; empty: unknown
	asked  map[[2]string]*tenants.Problem
}

// worker is the user of nginx's workers, once it was read; empty: unknown.
type worker struct {
	once sync.Once
	name string
}

// webSide reads the user of nginx's workers, once per Host. Only root's servers run as other
// users.
func (h *Host) webSide(ctx context.Context) *webSide {
	if os.Geteuid() == 0 {
		h.worker.once.Do(func() { h.worker.name = machine.Worker(ctx, h.Farm) })
	}
	return &webSide{farm: h.Farm, worker: h.worker.name, asked: map[[2]string]*tenants.Problem{}}
}

// barred returns the problem if the state folder or the codebase of a tenant lies below a
// folder that PHP's or nginx's user may not enter, or nil: nothing of the tenant would run.
func (w *webSide) barred(t *tenants.Tenant) *tenants.Problem {
	if os.Geteuid() != 0 || t.Codebase == nil { // a wiki that is removed runs nothing any more
		return nil
	}
	user := w.farm.Web.User
	if t.Pool.User != "" {
		user = t.Pool.User
	}
	for _, name := range []string{user, w.worker} {
		for _, place := range [][2]string{{"state", w.farm.State}, {"codebases." + t.Codebase.Name, t.Codebase.Path}} {
			if p := w.ask(name, place[0], place[1]); p != nil {
				return p
			}
		}
	}
	return nil
}

// ask checks one path for one user, once.
func (w *webSide) ask(user, key, path string) *tenants.Problem {
	if user == "" {
		return nil
	}
	if p, known := w.asked[[2]string{user, path}]; known {
		return p
	}
	var p *tenants.Problem
	if at, mode := machine.Stopped(user, path); at != "" {
		p = &tenants.Problem{
			Position: w.farm.At(key), Key: key,
			Message: fmt.Sprintf("%s can't reach %s: %s has mode %04o", user, path, at, mode), Hint: machine.ReachHint(at),
		}
	}
	w.asked[[2]string{user, path}] = p
	return p
}
