package provision

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
)

// Names within the folder of a removed tenant.
const (
	manifestFile   = "manifest.json"
	definitionFile = "definition.toml"
	dumpBase       = "database" // without the ending that Dump adds
	returningFile  = "returning"
)

// Removed describes a removed tenant that can be brought back. It is stored as JSON in
// the folder of its files.
type Removed struct {
	Name         string            `json:"name"`
	Run          string            `json:"run"`     // that began to remove it
	Removed      time.Time         `json:"removed"` // when the removal began
	Server       string            `json:"server,omitempty"`
	Database     string            `json:"database,omitempty"` // empty: only files existed
	Codebase     string            `json:"codebase,omitempty"`
	Version      string            `json:"version,omitempty"` // of MediaWiki
	ComponentSet string            `json:"component_set,omitempty"`
	State        ledger.State      `json:"state,omitempty"`   // before the removal; empty: unknown
	SQL          map[string]string `json:"sql,omitempty"`     // applied files of the farm's own SQL: file to checksum
	Ledger       ledger.Rows       `json:"ledger,omitempty"`  // its other rows in the ledger, such as its upgrades
	Contents     map[string]string `json:"contents"`          // description of the folder's content, by name
	BringBack    []string          `json:"bring_back"`        // instructions, line by line
	Defined      *Defined          `json:"defined,omitempty"` // by what delete is to remove, too

	dir string
}

// Defined is the file that defined a tenant, as delete read it.
type Defined struct {
	File   string `json:"file"` // relative to the farm's folder
	SHA256 string `json:"sha256"`
}

// definedIn returns the file that defines a tenant, with this content.
func definedIn(t *tenants.Tenant, text []byte) *Defined {
	sum := sha256.Sum256(text)
	return &Defined{File: t.Position.File, SHA256: hex.EncodeToString(sum[:])}
}

// lingers reports whether a tenant is defined by the very file that delete was to remove after the
// rest: it was interrupted before.
func (r *Removed) lingers(dir string, t *tenants.Tenant) bool {
	if r.Defined == nil || deploy.Exists(filepath.Join(r.dir, deploy.RetiredDefinition)) {
		return false
	}
	text, err := disk.Read(filepath.Join(dir, t.Position.File))
	return err == nil && *definedIn(t, text) == *r.Defined
}

// Dir returns the folder of its files.
func (r *Removed) Dir() string { return r.dir }

// Definition returns the file with its former definition.
func (r *Removed) Definition() string { return filepath.Join(r.dir, definitionFile) }

// Source returns the file that defined it, if delete moved that to its folder, or else the file
// with its former definition.
func (r *Removed) Source() string {
	if source := filepath.Join(r.dir, deploy.RetiredDefinition); deploy.Exists(source) {
		return source
	}
	return r.Definition()
}

// Returning returns the path of an empty file that undelete makes before it writes the definition
// among the farm's files. While the file exists, no new wiki is made under the tenant's name.
func (r *Removed) Returning() string { return filepath.Join(r.dir, returningFile) }

// readReturning finds which of the tenants without a row in the ledger undelete began to bring
// back, or delete removed but for their definition.
func (c *creation) readReturning(list []*tenants.Tenant) {
	c.announced, c.deleted = map[string]string{}, map[string]string{}
	if !slices.ContainsFunc(list, func(t *tenants.Tenant) bool { return c.rows[t.Name].Name == "" }) {
		return
	}
	all, _ := AllRemoved(c.Layout) // a plan reports damaged ones
	latest := map[string]*Removed{}
	for _, r := range slices.Backward(all) {
		latest[r.Name] = r
		if deploy.Exists(r.Returning()) {
			c.announced[r.Name] = r.Returning()
		}
	}
	for _, t := range list {
		if r := latest[t.Name]; r != nil && r.lingers(c.Farm.Dir, t) {
			c.deleted[t.Name] = r.Run
		}
	}
}

// row returns the tenant's ledger row while it is being brought back.
func (r *Removed) row() ledger.Tenant {
	return ledger.Tenant{
		Name: r.Name, Server: r.Server, Database: r.Database, Codebase: r.Codebase, Version: r.Version,
		ComponentSet: r.ComponentSet, State: ledger.Returning, Run: r.Run,
	}
}

// AllRemoved lists the removed tenants that still exist, newest first, also with an error
// about others, a *DamagedError each. It skips folders without a description: a run was
// killed before it moved anything there.
func AllRemoved(l tenants.Layout) ([]*Removed, error) {
	names, err := disk.Folders(l.Removed())
	if err != nil {
		return nil, err
	}
	var all []*Removed
	var failures []error
	for _, name := range names {
		r, err := openRemoved(filepath.Join(l.Removed(), name))
		switch {
		case err == nil:
			all = append(all, r)
		case !errors.Is(err, fs.ErrNotExist):
			failures = append(failures, err)
		}
	}
	slices.SortFunc(all, func(a, b *Removed) int {
		return cmp.Or(b.Removed.Compare(a.Removed), cmp.Compare(a.Name, b.Name))
	})
	return all, errors.Join(failures...)
}

// DamagedError reports that the description of a removed tenant can't be read.
type DamagedError struct {
	Dir string // folder of the removed tenant
	Err error
}

// Error names the file, and what else is there.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s: %s (put it right, or move the folder away)", filepath.Join(e.Dir, manifestFile), e.Err)
}

// Unwrap returns why the description can't be read.
func (e *DamagedError) Unwrap() error { return e.Err }

func openRemoved(dir string) (*Removed, error) {
	path := filepath.Join(dir, manifestFile)
	data, err := disk.Read(path)
	r := &Removed{dir: dir}
	if err == nil {
		err = json.Unmarshal(data, r)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission):
		return nil, err
	case err != nil:
		return nil, &DamagedError{dir, err}
	}
	return r, nil
}

// FindRemoved returns the latest removal of a tenant, or that of a run. The error wraps
// fs.ErrNotExist if there is none. Which is the latest is unknown if one has a time in the
// future, because a clock was set back since.
func FindRemoved(l tenants.Layout, name, run string) (*Removed, error) {
	all, err := AllRemoved(l)
	if err := damageOf(l, name, run, err); err != nil {
		return nil, err
	}
	for _, r := range all {
		if r.Name != name || run != "" && r.Run != run {
			continue
		}
		if run == "" {
			if err := tenants.LatestUnknown(r.Removed, fmt.Sprintf("run %s removed %s", r.Run, name), "removal", "wikictl undelete lists the removals; --run RUN chooses one"); err != nil {
				return nil, err
			}
		}
		return r, nil
	}
	what := "nothing of " + name + " was removed"
	if run != "" {
		what += " by run " + run
	}
	return nil, tenants.WithHint(fmt.Errorf("%s, or it was deleted from %s: %w", what, l.Removed(), fs.ErrNotExist), "wikictl undelete lists what can be brought back")
}

// NoneRemoved returns an error if the folder of removed tenants has nothing of any tenant of
// a list, or of none from a run, and nil if it has something or can't be read.
func NoneRemoved(l tenants.Layout, list []*tenants.Tenant, run string) (err error) {
	for _, t := range list {
		if _, err = removalOf(l, t, run); !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	return err
}

// removalOf returns the removal of a tenant that undelete reverts: that of a run, or its
// latest one. The error says under which other name its database was removed, if it was.
func removalOf(l tenants.Layout, t *tenants.Tenant, run string) (*Removed, error) {
	r, err := FindRemoved(l, t.Name, run)
	if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	all, _ := AllRemoved(l) // what is damaged was reported by FindRemoved, if it is the tenant's
	for _, r := range all {
		if r.heldDatabaseOf(t) && (run == "" || r.Run == run) {
			return nil, fmt.Errorf("run %s removed its database %s as that of %s; %s", r.Run, r.Database, r.Name, r.underItsName())
		}
	}
	return nil, err
}

// heldDatabaseOf reports whether a removed tenant of another name had a tenant's database.
func (r *Removed) heldDatabaseOf(t *tenants.Tenant) bool {
	return r.Name != t.Name && r.Database != "" && r.Database == t.Database && t.Server != nil && r.Server == t.Server.Name
}

// underItsName says how to bring back a tenant that a file now defines under another name.
func (r *Removed) underItsName() string {
	return fmt.Sprintf("give it back its name %[1]s, run wikictl undelete %[1]s, and rename it then", r.Name)
}

// damageOf returns what in an error of AllRemoved concerns a tenant, or a run that removed
// it: its latest removal may be the one that can't be read.
func damageOf(l tenants.Layout, name, run string, err error) error {
	joined, several := err.(interface{ Unwrap() []error })
	if !several {
		return err
	}
	for _, err := range joined.Unwrap() {
		var damaged *DamagedError
		if !errors.As(err, &damaged) {
			return err
		}
		of, found := strings.CutPrefix(damaged.Dir, l.RemovedTenant(name, ""))
		if found && archive.IsRun(of) && (run == "" || run == of) {
			return err
		}
	}
	return nil
}

// describe writes the definition and the manifest into the folder of a removed tenant,
// before anything is removed. It keeps those of an interrupted run: the ledger may know
// less by now.
func (c *creation) describe(ctx context.Context, j *job) error {
	name := j.tenant.Name
	dir := c.Layout.RemovedTenant(name, j.removal)
	if r, err := openRemoved(dir); !errors.Is(err, fs.ErrNotExist) {
		j.returns = err == nil && r.returns()
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	seen, err := c.ledger.FarmSQL(ctx)
	if err != nil {
		return err
	}
	definition, err := c.Deploy.Definition(name)
	if errors.Is(err, fs.ErrNotExist) {
		definition, err = definitionOf(j.row, name), nil
	}
	if err != nil {
		return err
	}
	if err := deploy.WriteFile(filepath.Join(dir, definitionFile), definition, 0o600, -1); err != nil {
		return err
	}
	r := manifest(c.Layout, j, seen[name])
	r.Defined = c.o.Defined
	if r.Ledger, err = c.ledger.RowsOf(ctx, name); err != nil {
		return err
	}
	j.returns = r.returns()
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return deploy.WriteFile(filepath.Join(dir, manifestFile), append(data, '\n'), 0o600, -1)
}

// manifest describes the folder's content and how to bring the tenant back.
func manifest(l tenants.Layout, j *job, seen map[string]string) *Removed {
	name, row := j.tenant.Name, j.row
	dir := l.RemovedTenant(name, j.removal)
	r := &Removed{
		Name: name, Run: j.removal, Removed: time.Now().UTC().Truncate(time.Second), SQL: seen, Server: row.Server, Database: row.Database,
		Codebase: row.Codebase, Version: row.Version, ComponentSet: row.ComponentSet, State: stateBefore(l, j), dir: dir,
		Contents: map[string]string{
			definitionFile: "its definition, resolved", "wiki": l.Wiki(name) + ": uploads, caches, releases",
			"logs": l.Logs(name), "backups": l.Backups(name) + ": dumps of before upgrades", "secrets.toml": l.Secrets(name),
		},
	}
	if row.Name == "" {
		r.BringBack = []string{"the ledger did not know it: move wiki, logs, backups and secrets.toml to where contents says that they were"}
		return r
	}
	r.Contents[dumpBase+".sql.zst"] = "its database " + row.Database + ", SQL as mariadb-dump writes it, compressed by zstd"
	if !r.returns() {
		r.BringBack = []string{"it was never whole: wikictl create " + name + " makes it anew"}
		return r
	}
	r.BringBack = []string{"wikictl undelete --run " + j.removal + " " + name}
	return r
}

// stateBefore returns a tenant's state before its removal. A served tenant was at least
// Made, whatever the ledger says.
func stateBefore(l tenants.Layout, j *job) ledger.State {
	if j.was == ledger.Creating && deploy.Exists(l.LocalSettings(j.tenant.Name)) {
		return ""
	}
	return j.was
}

// returns reports whether there is something to bring back: more than files, and a
// complete database.
func (r *Removed) returns() bool { return r.Database != "" && r.State != ledger.Creating }

// definitionOf returns a definition from the ledger, for a tenant whose definition was
// not kept.
func definitionOf(row ledger.Tenant, name string) []byte {
	text := "# Its file was gone and no release had kept it: this is what the ledger knew.\n" +
		fmt.Sprintf("name = %q\nhosts = [] # its host names\nsitename = %q # its name\n", name, name)
	if row.Name != "" {
		text += fmt.Sprintf("codebase = %q\nserver = %q\ndatabase = %q\n", row.Codebase, row.Server, row.Database)
	}
	return []byte(text)
}
