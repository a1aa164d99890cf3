package machine

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
)

// Barred is a path that a user of the web server or of PHP can't reach.
type Barred struct {
	Key  string // the path's key in wikictl.toml, such as "state"
	User string
	Path string // the required path
	At   string // the folder or file that denies access
	Mode os.FileMode
}

// Message names the user, the path, and the folder or file that denies access.
func (b Barred) Message() string {
	return fmt.Sprintf("%s can't reach %s: %s has mode %04o", b.User, b.Path, b.At, b.Mode)
}

// Repair returns the command that makes a codebase's files readable, or nil if they are.
func (b Barred) Repair() []string {
	if !strings.HasSuffix(b.At, ".php") {
		return nil
	}
	return []string{"chmod -R o+rX " + quote(filepath.Dir(filepath.Dir(b.At)))}
}

// Hint returns the next step for a folder that the user may not enter, or "" if Repair has it.
func (b Barred) Hint() string {
	if b.Repair() != nil {
		return ""
	}
	return "move it to a folder that all users may enter, such as below /var/lib or /srv, or: chmod o+x " + b.At
}

// Problem returns the same as a problem of the farm's files.
func (b Barred) Problem(f *tenants.Farm) tenants.Problem {
	hint := b.Hint()
	for _, command := range b.Repair() {
		hint = command
	}
	return tenants.Problem{Position: f.At(b.Key), Key: b.Key, Message: b.Message(), Hint: hint}
}

// Reach finds out which of a farm's folders the users of its web server and PHP can reach, by
// the modes of the folders above. It checks each path once for each user.
type Reach struct {
	farm    *tenants.Farm
	others  []string // further users, which the farm's files don't name
	checked map[[2]string]*Barred
}

// NewReach returns the Reach of a farm. It covers the farm's user, those of its tenants' pools,
// and others, such as the user of nginx's workers; it ignores empty names.
func NewReach(f *tenants.Farm, others ...string) *Reach {
	return &Reach{farm: f, others: others, checked: map[[2]string]*Barred{}}
}

// Of returns the first path that one of a tenant's users can't reach, or nil. A removed tenant
// has no codebase, and needs none.
func (r *Reach) Of(t *tenants.Tenant) *Barred {
	if t.Codebase == nil {
		return nil
	}
	return r.first(t.Pool.User, t.Codebase)
}

// All returns the paths that the farm's tenants need and can't reach and, for the farm's own
// user, those of codebases without tenants: one path for each user.
func (r *Reach) All() []Barred {
	first := map[string]Barred{}
	note := func(b *Barred) {
		if b == nil {
			return
		}
		if _, known := first[b.User]; !known {
			first[b.User] = *b
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.farm.Codebases)) {
		for _, user := range append([]string{r.farm.Web.User}, r.others...) {
			note(r.barred(user, r.farm.Codebases[name]))
		}
	}
	for _, t := range r.farm.Tenants {
		note(r.Of(t))
	}
	var all []Barred
	for _, user := range slices.Sorted(maps.Keys(first)) {
		all = append(all, first[user])
	}
	return all
}

// first returns the first path that a pool's user can't reach, or else the other users.
func (r *Reach) first(pool string, c *tenants.Codebase) *Barred {
	if pool == "" {
		pool = r.farm.Web.User
	}
	for _, user := range append([]string{pool}, r.others...) {
		if b := r.barred(user, c); b != nil {
			return b
		}
	}
	return nil
}

// barred returns the first path of a wiki on a codebase that a user can't reach, or nil. It
// ignores paths that do not exist yet.
func (r *Reach) barred(user string, c *tenants.Codebase) *Barred {
	if user == "" {
		return nil
	}
	key := "codebases." + c.Name
	for _, p := range [][2]string{{"state", r.farm.State}, {key, c.Path}, {key, filepath.Join(c.Path, "includes", "Defines.php")}} {
		at := [2]string{user, p[1]}
		b, known := r.checked[at]
		if !known {
			if stop, mode := Stopped(user, p[1]); stop != "" {
				b = &Barred{Key: p[0], User: user, Path: p[1], At: stop, Mode: mode}
			}
			r.checked[at] = b
		}
		if b != nil {
			return b
		}
	}
	return nil
}

// Stopped returns the first folder on the way to a path that a user of the machine may not
// enter, or the path itself if it is a file that the user may not read, with its mode, or "".
func Stopped(name, path string) (at string, mode os.FileMode) {
	who, err := lookup(name)
	if err != nil {
		return "", 0
	}
	return who.stopped(path)
}

// Worker returns the user of nginx's workers, or "" if the configuration does not set it or
// could not be read.
func Worker(ctx context.Context, f *tenants.Farm) string { return ReadWeb(ctx, f).worker() }
