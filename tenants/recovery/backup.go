package recovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/definitions"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

// BackupOptions are the options of Backup.
type BackupOptions struct {
	Options
	Verify bool // load each backup into a scratch database and compare
}

// Backup makes an archive, or a snapshot, of each tenant. The wikis stay online and editable.
func Backup(ctx context.Context, h *session.Host, list []*tenants.Tenant, o BackupOptions) ([]session.Outcome, error) {
	if err := reach(ctx, h.Farm); err != nil {
		return nil, err
	}
	r, ctx, err := begin(ctx, h, "backup", list, o.Options)
	if err != nil {
		return nil, err
	}
	return r.each(ctx, list, func(ctx context.Context, k *task) error {
		if err := k.mayBackUp(ctx); err != nil {
			return err
		}
		a, err := k.backUp(ctx, "", false)
		if err == nil && o.Verify {
			err = k.steps(ctx, []step{{"verify", func() error { return k.verify(ctx, a) }}})
		}
		return err
	})
}

// PreviewBackup returns the changes that Backup would make.
func PreviewBackup(ctx context.Context, h *session.Host, list []*tenants.Tenant) (*plan.Plan, error) {
	rows, open, err := ledgerOf(ctx, h)
	if err != nil {
		return nil, err
	}
	p := &plan.Plan{}
	for _, t := range list {
		planned := &plan.Tenant{Name: t.Name}
		err := backable(rows, open[t.Name], t)
		if err == nil {
			_, err = scan(ctx, h, t)
		}
		if err != nil {
			planned.Add(plan.Blocked, "%s", err)
		} else {
			planned.Add(plan.Backup, "database %s on server %s and uploads to %s", t.Database, t.Server.Name, cmp.Or(h.Farm.Backup.Restic, h.Layout.ArchivesOf(t.Name)))
		}
		p.Tenants = append(p.Tenants, planned)
	}
	return p, nil
}

// ledgerOf reads the ledger's tenants and open upgrades; empty if there is no ledger yet.
func ledgerOf(ctx context.Context, h *session.Host) (map[string]ledger.Tenant, map[string]ledger.Upgrade, error) {
	l, err := h.Ledger(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	rows, err := l.Tenants(ctx)
	if err != nil {
		return nil, nil, err
	}
	open, err := l.OpenUpgrades(ctx)
	return rows, open, err
}

// backable returns the reason why a tenant can't be backed up, or nil.
func backable(rows map[string]ledger.Tenant, open ledger.Upgrade, t *tenants.Tenant) error {
	row := rows[t.Name]
	switch {
	case t.Server == nil:
		return &blockedError{session.InTheWay(t.Faults)}
	case row.Name == "":
		return blocked("%s", ledger.NotCreated(t, rows))
	case row.State != ledger.Ready:
		return blocked("it is not finished (state %s): wikictl plan %s says what finishes it", row.State, t.Name)
	case row.Server != t.Server.Name || row.Database != t.Database:
		return blocked("the ledger has it in database %s on server %s, the definitions in %s on %s", row.Database, row.Server, t.Database, t.Server.Name)
	case open.UndoneBy != "":
		return blocked("run %s rolls it back, or did not finish that: %s finishes it", open.UndoneBy, open.Completion())
	case open.Run != "":
		return blocked("run %s upgrades it, or did not finish that: %s finishes it", open.Run, open.Completion())
	}
	return nil
}

func (k *task) mayBackUp(ctx context.Context) error {
	open, _, err := k.ledger.OpenUpgrade(ctx, k.tenant.Name)
	if err != nil {
		return err
	}
	rows := map[string]ledger.Tenant{k.tenant.Name: k.row}
	if k.row.Name == "" {
		if rows, err = k.ledger.Tenants(ctx); err != nil {
			return err
		}
	}
	return backable(rows, open, k.tenant)
}

// backUp makes an archive or a snapshot of a tenant, and its description. before is the command
// that is about to change the tenant, or "". For such a command it always makes an archive, which
// requires no reachable repository. links allows links that lead out of the upload folder, for a
// command that does not touch uploads.
func (k *task) backUp(ctx context.Context, before string, links bool) (*archive.Archive, error) {
	release, err := k.store.Use(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	m := &making{task: k, before: before, links: links, half: filepath.Join(k.Layout.HalfArchive(k.tenant.Name), k.RunID)}
	steps := []step{
		{"dump", func() error { return m.dump(ctx) }},
		{"uploads", func() error { return m.keepUploads(ctx) }},
		{"archive", func() error { return m.write(ctx) }},
		{"describe", func() error { return m.archive.Describe() }},
	}
	if k.repository != nil && before == "" {
		m.half = filepath.Join(k.Layout.HalfArchive(k.tenant.Name), "snapshot")
		steps = slices.Replace(steps, 1, 3, step{"snapshot", func() error { return m.snapshot(ctx) }})
	}
	defer os.RemoveAll(k.Layout.HalfArchive(k.tenant.Name))
	if err := k.steps(ctx, steps); err != nil {
		return nil, err
	}
	k.archive = m.archive.Place()
	return m.archive, nil
}

// making is the state of one backup.
type making struct {
	*task
	before  string // see Manifest.Before
	links   bool   // links may lead out of the upload folder
	half    string // folder for incomplete files
	dumped  *backup.Dump
	uploads archive.Uploads
	images  string // path of the upload folder in a snapshot
	archive *archive.Archive
}

// dump removes files of killed runs, and dumps the database.
func (m *making) dump(ctx context.Context) (err error) {
	if err := os.RemoveAll(m.Layout.HalfArchive(m.tenant.Name)); err != nil {
		return err
	}
	if err := archive.Finish(m.Layout.ArchivesOf(m.tenant.Name)); err != nil {
		return err
	}
	if err := os.MkdirAll(m.half, 0o700); err != nil {
		return err
	}
	m.dumped, err = m.consistent(ctx, filepath.Join(m.half, "database"))
	return err
}

// dumpTries is the maximum number of attempts to dump a database that is written to, if one
// connection can't both dump and describe it.
const dumpTries = 5

// consistent dumps a database so that rows and description agree. Both come from one snapshot,
// unless mariadb-dump writes the dump: then it repeats the dump until nothing changed meanwhile.
func (k *task) consistent(ctx context.Context, base string) (*backup.Dump, error) {
	for range dumpTries {
		b, err := k.server.Dump(ctx, k.tenant.Database, base, tenants.Backup{}, k.further...)
		if err != nil || wholly(b) {
			return b, err
		}
		same, err := k.unchanged(ctx, b)
		if err != nil {
			return nil, err
		}
		if same {
			return b, nil
		}
	}
	return nil, tenants.WithHint(fmt.Errorf("its database was written to during each of %d dumps, and objects other than tables of InnoDB can't be dumped from one snapshot", dumpTries),
		"make the wiki read-only for the time of the backup")
}

// wholly reports whether a dump and those of further databases come from one snapshot.
func wholly(b *backup.Dump) bool {
	return !slices.ContainsFunc(b.All(), func(one *backup.Dump) bool { return !one.Snapshot })
}

// unchanged reports whether databases still have the dumped content.
func (k *task) unchanged(ctx context.Context, b *backup.Dump) (bool, error) {
	for _, one := range b.All() {
		now, err := k.server.Contents(ctx, one.Database)
		if err != nil || !sameContents(one.Tables, now) {
			return false, err
		}
	}
	return true, nil
}

func sameContents(a, b map[string]backup.Contents) bool {
	if len(a) != len(b) {
		return false
	}
	for name, contents := range a {
		if b[name] != contents {
			return false
		}
	}
	return true
}

// keepUploads copies uploads into the store, after the database: a file without a row
// does no harm, a row without a file does.
func (m *making) keepUploads(ctx context.Context) error {
	var err error
	m.uploads, err = m.store.Keep(ctx, m.Layout.Images(m.tenant.Name), filepath.Join(m.half, "uploads"), lastUploads(m.Layout, m.tenant.Name))
	m.note = m.uploads.Omitted()
	if err != nil || m.links {
		return err
	}
	return m.linksIn(m.uploads)
}

// lastUploads returns the uploads in the latest archive of a wiki; none if it can't be read, so
// that a backup reads all files.
func lastUploads(l tenants.Layout, name string) archive.Uploads {
	all, err := archive.List(l.ArchivesOf(name))
	if all = archive.Files(all); err != nil || len(all) == 0 {
		return archive.Uploads{}
	}
	last, err := archive.UploadsOf(all[0].File)
	if err != nil {
		return archive.Uploads{}
	}
	return last
}

// write writes the archive.
func (m *making) write(ctx context.Context) error {
	dir := m.Layout.ArchivesOf(m.tenant.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	manifest, parts, err := m.contents(ctx)
	if err != nil {
		return err
	}
	file := archive.FileOf(dir, m.RunID)
	if err := archive.Write(file, manifest, parts); err != nil {
		return err
	}
	m.archive = &archive.Archive{Manifest: *manifest, File: file}
	return nil
}

// contents returns the manifest and the members of the archive.
func (m *making) contents(ctx context.Context) (*archive.Manifest, []archive.Part, error) {
	manifest, err := m.manifest(ctx)
	if err != nil {
		return nil, nil, err
	}
	parts, err := m.parts(*manifest)
	return manifest, parts, err
}

func (m *making) manifest(ctx context.Context) (*archive.Manifest, error) {
	seen, err := m.ledger.FarmSQLOf(ctx, m.tenant.Name)
	if err != nil {
		return nil, err
	}
	manifest := &archive.Manifest{
		Name: m.tenant.Name, Run: m.RunID, Before: m.before, Taken: m.dumped.Taken.Truncate(time.Second), Farm: m.FarmID(),
		Server: m.row.Server, Database: m.row.Database, Further: m.further, Codebase: m.row.Codebase, Version: m.row.Version,
		ComponentSet: m.row.ComponentSet, SQL: seen, Uploads: len(m.uploads.Files), UploadBytes: m.uploads.Bytes(), Images: m.images,
	}
	if m.tenant.Owner != nil {
		manifest.Users = m.tenant.Owner.Database
	}
	if c := m.Farm.Codebases[m.row.Codebase]; c != nil && len(c.Faults) == 0 {
		manifest.Fingerprint = c.Fingerprint()
	}
	return manifest, nil
}

// parts returns the members of the archive.
func (m *making) parts(manifest archive.Manifest) ([]archive.Part, error) {
	definition, err := m.definition()
	if err != nil {
		return nil, err
	}
	secrets, err := disk.Read(m.Layout.Secrets(m.tenant.Name))
	if err != nil {
		return nil, err
	}
	parts := []archive.Part{
		{Name: archive.ReadmeMember, Data: []byte(archive.Readme(manifest))},
		{Name: archive.DefinitionMember, Data: definition},
		{Name: archive.SecretsMember, Data: secrets},
	}
	if m.images == "" {
		list, err := m.uploads.Encode()
		if err != nil {
			return nil, err
		}
		parts = append(parts, archive.Part{Name: archive.FilesMember, Data: list}, archive.Part{Name: archive.SumsMember, Data: m.uploads.Sums()})
	}
	parts = append(parts,
		archive.Part{Name: archive.DescriptionMember, Path: filepath.Join(m.half, "database.json")},
		archive.Part{Name: archive.DatabaseMember, Path: m.dumped.File})
	for _, one := range m.dumped.More {
		parts = append(parts, archive.Part{Name: filepath.Base(one.File), Path: one.File})
	}
	return parts, nil
}

// definition returns the tenant's resolved definition, with the origin of each value, and
// the codebase it runs on.
func (m *making) definition() ([]byte, error) {
	served := *m.tenant
	if c := m.Farm.Codebases[m.row.Codebase]; c != nil {
		served.Codebase = c
	}
	if served.Codebase == nil || m.tenant.Blocked() {
		text, err := m.Deploy.Definition(m.tenant.Name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &blockedError{session.InTheWay(m.tenant.Faults)}
		}
		return text, err
	}
	return []byte(definitions.ShowAlone(&served)), nil
}
