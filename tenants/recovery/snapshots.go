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
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/backup/restic"
	"wikictl/tenants/session"
)

// repositoryOf returns restic's repository for a farm's backups; nil if the farm has none.
func repositoryOf(f *tenants.Farm) (*restic.Repository, error) {
	return restic.Open(f.Backup, f.Layout().ResticCache())
}

// reach returns an error if the farm's repository can't be used, before anything is backed up.
func reach(ctx context.Context, f *tenants.Farm) error {
	r, err := repositoryOf(f)
	if err != nil || r == nil {
		return err
	}
	return r.Reach(ctx)
}

// snapshot passes the dump, the other members of a backup and the upload folder to restic,
// which reads only changed files. The database comes first, as in an archive.
func (m *making) snapshot(ctx context.Context) (err error) {
	targets := []string{"."}
	uploads, err := m.uploadFolder()
	if err != nil {
		return err
	}
	if uploads != "" {
		targets = append(targets, uploads)
		m.images = inSnapshot(uploads)
		if m.uploads, err = archive.Scan(ctx, m.Layout.Images(m.tenant.Name)); err != nil {
			return err
		}
		m.note = m.uploads.Omitted()
		if err := errors.Join(m.linksIn(m.uploads), linksForRestic(m.uploads)); err != nil {
			return err
		}
	}
	manifest, parts, err := m.contents(ctx)
	if err != nil {
		return err
	}
	bytes, err := archive.WriteTree(m.half, manifest, parts)
	if err != nil {
		return err
	}
	dir := m.Layout.ArchivesOf(m.tenant.Name)
	if err := archive.Begin(dir, manifest.Run); err != nil {
		return err
	}
	made, err := m.repository.Backup(ctx, m.half, targets, restic.Snapshot{
		Taken: manifest.Taken, Farm: manifest.Farm, Wiki: manifest.Name, Run: manifest.Run, Version: manifest.Version,
		Bytes: bytes, Uploads: manifest.Uploads, UploadBytes: manifest.UploadBytes,
	})
	if err != nil {
		return m.forgetHalf(ctx, made, err)
	}
	m.archive = &archive.Archive{
		Manifest: *manifest, Bytes: bytes, File: archive.FileOf(dir, manifest.Run),
		Snapshot: made[len(made)-1], Repository: m.repository.Location,
	}
	return nil
}

// uploadFolder returns the upload folder relative to the folder of the other members; "" if it
// does not exist. restic follows no links.
func (m *making) uploadFolder() (string, error) {
	uploads, err := filepath.EvalSymlinks(m.Layout.Images(m.tenant.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	half, err := filepath.EvalSymlinks(m.half)
	if err != nil {
		return "", err
	}
	return filepath.Rel(half, uploads)
}

// inSnapshot returns the path that restic gives to a relative folder: it omits each "..".
func inSnapshot(folder string) string {
	words := strings.Split(filepath.ToSlash(folder), "/")
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == ".." }), "/")
}

// forgetHalf deletes incomplete snapshots, and returns why, extended by an error of its own.
func (m *making) forgetHalf(ctx context.Context, made []string, why error) error {
	if len(made) == 0 {
		return why
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := m.repository.Forget(after, made); err != nil {
		return fmt.Errorf("%w; the incomplete snapshots %s stay until the next backup: %w", why, strings.Join(made, ", "), err)
	}
	return errors.Join(why, archive.Forget(m.Layout.ArchivesOf(m.tenant.Name), m.RunID))
}

// fetched returns the folder into which a restore of a tenant fetches a snapshot.
func (k *task) fetched(a *archive.Archive) string {
	return filepath.Join(k.Layout.Restoring(k.tenant.Name), "fetched-"+a.Run)
}

// fileOf returns the file of a backup; for a snapshot, the file that fetch makes.
func (k *task) fileOf(a *archive.Archive) string {
	if a.Snapshot == "" {
		return a.File
	}
	return archive.PackedFile(k.fetched(a), a.Run)
}

// fetch makes an archive from a snapshot, with its uploads beside it, in a folder.
func fetch(ctx context.Context, r *restic.Repository, a *archive.Archive, dir string) (*archive.Archive, error) {
	if r == nil {
		return nil, tenants.WithHint(fmt.Errorf("the backup is %s, and [backup] names no repository", a.Place()), "set store in [backup]")
	}
	tree := filepath.Join(dir, "tree")
	if err := os.RemoveAll(tree); err != nil {
		return nil, err
	}
	if err := r.Restore(ctx, a.Snapshot, tree); err != nil {
		return nil, err
	}
	return archive.Pack(ctx, tree, dir)
}

// Backups returns the backups of a wiki, or of all wikis if name is "", newest first: archives,
// and the snapshots in the repository, including those of other farms. With an error it still
// returns the backups that it could read.
func Backups(ctx context.Context, f *tenants.Farm, name string) ([]*archive.Archive, error) {
	list, failed := listed(f, name)
	r, err := repositoryOf(f)
	if err != nil || r == nil {
		return list, errors.Join(failed, err)
	}
	var tags []string
	if name != "" {
		tags = append(tags, restic.Tag("wiki", name))
	}
	found, err := r.Snapshots(ctx, tags...)
	if err != nil {
		return list, errors.Join(failed, err)
	}
	list = with(list, described(found, f.Layout()), f.Layout(), r.Location)
	slices.SortStableFunc(list, func(a, b *archive.Archive) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), b.Taken.Compare(a.Taken), cmp.Compare(b.Run, a.Run))
	})
	return list, failed
}

// OwnBackups returns the backups of a wiki that this farm made, newest first. Two farms may have
// one repository, and wikis of the same name.
func OwnBackups(ctx context.Context, f *tenants.Farm, name string) ([]*archive.Archive, error) {
	all, err := Backups(ctx, f, name)
	if err != nil {
		return nil, err
	}
	farm, err := session.FarmID(f)
	if err != nil {
		return nil, err
	}
	own := slices.DeleteFunc(slices.Clone(all), func(a *archive.Archive) bool { return a.Snapshot != "" && a.Farm != farm })
	if newest := archive.Newest(own); newest != nil {
		return own, Complete(ctx, f, newest)
	}
	return own, nil
}

// listed returns archives, and snapshots with a description in the state folder.
func listed(f *tenants.Farm, name string) ([]*archive.Archive, error) {
	if name == "" {
		return archive.All(f.Layout().Archives())
	}
	return archive.List(f.Layout().ArchivesOf(name))
}

// with returns the archives of a list and the snapshots of a repository, with their descriptions
// if the list has them. Of several snapshots of a wiki by one run it returns only the newest,
// because the others are incomplete.
func with(list []*archive.Archive, found []restic.Snapshot, l tenants.Layout, location string) []*archive.Archive {
	type key struct{ farm, run, wiki string }
	known := map[key]*archive.Archive{}
	for _, a := range list {
		if a.Snapshot != "" {
			known[key{a.Farm, a.Run, a.Name}] = a
		}
	}
	list = archive.Files(list)
	for _, s := range found {
		k := key{s.Farm, s.Run, s.Wiki}
		a, is := known[k]
		if is && a == nil || !tenants.ValidName(s.Wiki) || !archive.IsRun(s.Run) {
			continue
		}
		known[k] = nil
		if !is {
			a = &archive.Archive{File: archive.FileOf(l.ArchivesOf(s.Wiki), s.Run), Bytes: s.Bytes}
			a.Manifest = archive.Manifest{Name: s.Wiki, Run: s.Run, Taken: s.Taken, Farm: s.Farm, Version: s.Version, Uploads: s.Uploads, UploadBytes: s.UploadBytes}
		}
		a.Snapshot, a.Repository = s.ID, location
		list = append(list, a)
	}
	return list
}

// Complete reads the manifest of a snapshot without a description in the state folder.
func Complete(ctx context.Context, f *tenants.Farm, a *archive.Archive) error {
	if a.Snapshot == "" || a.Database != "" {
		return nil
	}
	data, err := readMember(ctx, f, a, archive.ManifestMember)
	if err != nil {
		return err
	}
	m, err := archive.DecodeManifest(data)
	if err == nil && (m.Name != a.Name || m.Run != a.Run) {
		err = fmt.Errorf("%s is tagged as %s of run %s, and holds %s of run %s", a.Place(), a.Name, a.Run, m.Name, m.Run)
	}
	if err != nil {
		return err
	}
	a.Manifest = m
	return nil
}

// readMember reads one member of an archive or a snapshot.
func readMember(ctx context.Context, f *tenants.Farm, a *archive.Archive, name string) ([]byte, error) {
	if a.Snapshot == "" {
		return archive.ReadMember(a.File, name)
	}
	r, err := repositoryOf(f)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, tenants.WithHint(fmt.Errorf("the backup is %s, and [backup] names no repository", a.Place()), "set store in [backup]")
	}
	return r.Read(ctx, a.Snapshot, name)
}
