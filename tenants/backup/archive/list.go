package archive

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wikictl/tenants/disk"
)

// Archive describes a complete backup of a wiki. It is kept as JSON beside the archive's
// file.
type Archive struct {
	Manifest
	Bytes    int64     `json:"bytes"`             // size of the file
	Verified time.Time `json:"verified,omitzero"` // time of the last successful verification

	// Snapshot is the id of the snapshot with the backup, and Repository the repository of
	// restic that has it; both empty for an archive.
	Snapshot   string `json:"snapshot,omitempty"`
	Repository string `json:"repository,omitempty"`

	File string `json:"-"` // of a snapshot: the file that an archive of it would have
}

// Place returns the place of a backup, for people: its file, or its snapshot and repository.
func (a *Archive) Place() string {
	if a.Snapshot == "" {
		return a.File
	}
	return fmt.Sprintf("snapshot %.8s in %s", a.Snapshot, a.Repository)
}

// described returns the path of the description, which is written last.
func described(file string) string { return strings.TrimSuffix(file, ending) + describedEnding }

const describedEnding = ".json"

// FileOf returns the path of a run's archive in a wiki's folder of archives.
func FileOf(dir, run string) string { return filepath.Join(dir, run+ending) }

// Describe writes the description of an archive beside it. A snapshot is a backup from then on.
func (a *Archive) Describe() error {
	if a.Snapshot == "" {
		info, err := os.Stat(a.File)
		if err != nil {
			return err
		}
		a.Bytes = info.Size()
	}
	data, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	half := described(a.File) + halfEnding
	if err := writeDurable(half, data); err != nil {
		return errors.Join(err, os.Remove(half))
	}
	if err := os.Rename(half, described(a.File)); err != nil {
		return err
	}
	dir := filepath.Dir(a.File)
	if err := disk.SyncFolder(dir); err != nil || a.Snapshot == "" {
		return err
	}
	return Forget(dir, a.Run)
}

func writeDurable(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// Find reads the description of an archive, or its manifest if it has no description,
// such as after a copy from another machine.
func Find(file string) (*Archive, error) {
	data, err := disk.Read(described(file))
	if errors.Is(err, fs.ErrNotExist) {
		return alone(file)
	}
	if err != nil {
		return nil, &damagedError{file, err}
	}
	a := &Archive{File: file}
	if err := json.Unmarshal(data, a); err != nil {
		return nil, &damagedError{file, err}
	}
	if a.Snapshot != "" {
		return a, nil
	}
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	return a, nil
}

// damagedError reports that the description of an archive can't be read.
type damagedError struct {
	file string // of the archive
	err  error
}

// Error names the description, and says how to use the archive without it.
func (e *damagedError) Error() string {
	return fmt.Sprintf("%s: %s (move it away; wikictl restore --from %s reads the backup without it)", described(e.file), e.err, e.file)
}

func (e *damagedError) Unwrap() error { return e.err }

func alone(file string) (*Archive, error) {
	m, err := Open(file)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	return &Archive{Manifest: m, Bytes: info.Size(), File: file}, nil
}

// List returns the complete archives and the described snapshots of a wiki, newest first;
// none if the folder does not exist. It returns them also with an error about others.
func List(dir string) ([]*Archive, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []*Archive
	var failures []error
	for _, e := range entries {
		name, isDescription := strings.CutSuffix(e.Name(), describedEnding)
		if !isDescription { // an archive without a description is incomplete
			continue
		}
		a, err := Find(filepath.Join(dir, name+ending))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a killed run left the description of a removed archive
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *Archive) int {
		return cmp.Or(b.Taken.Compare(a.Taken), cmp.Compare(b.Run, a.Run))
	})
	return all, errors.Join(failures...)
}

// Files returns the backups of a list that are archives, without the snapshots.
func Files(list []*Archive) []*Archive {
	return slices.DeleteFunc(slices.Clone(list), func(a *Archive) bool { return a.Snapshot != "" })
}

// Latest returns the newest complete archive of a wiki that the backup command made, or
// nil. Archives made by other commands do not count, so that a repeated restore does not
// restore its own safety copy.
func Latest(dir string) (*Archive, error) {
	all, err := List(dir)
	if err != nil {
		return nil, err
	}
	return Newest(all), nil
}

// Newest returns the first backup of a list, newest first, that the backup command made, or
// nil.
func Newest(list []*Archive) *Archive {
	for _, a := range list {
		if a.Before != BeforeRestore && a.Before != BeforeClone {
			return a
		}
	}
	return nil
}

// Values of Manifest.Before: an archive of a wiki's content before a restore, and one
// made for a clone.
const (
	BeforeRestore = "restore"
	BeforeClone   = "clone"
)

// Remove deletes an archive, its description first: without it the archive counts as
// incomplete. Uploads stay in the store.
func Remove(file string) error {
	for _, path := range []string{described(file), file} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// UploadsOf reads only the list of uploads of an archive.
func UploadsOf(file string) (Uploads, error) {
	data, err := ReadMember(file, FilesMember)
	if err != nil {
		return Uploads{}, err
	}
	return DecodeUploads(data)
}

// ReadMember reads one member of an archive, and nothing after it.
func ReadMember(file, name string) (data []byte, err error) {
	r, m, err := openReader(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for _, member := range m.Members {
		if member.Name == name {
			if data, err = r.bytes(member); err != nil {
				return nil, fmt.Errorf("backup %s: %s: %w", file, name, err)
			}
			return data, nil
		}
		if _, err := r.Next(); err != nil {
			return nil, fmt.Errorf("backup %s: %w", file, err)
		}
	}
	return nil, fmt.Errorf("backup %s: it has no %s", file, name)
}

// All returns the complete archives of all wikis, sorted by name, newest first, also with
// an error about others. dir is the folder of archives and store.
func All(dir string) ([]*Archive, error) {
	wikis, err := disk.Folders(filepath.Join(dir, "wikis"))
	if err != nil {
		return nil, err
	}
	var all []*Archive
	var failures []error
	for _, name := range wikis {
		part, err := List(filepath.Join(dir, "wikis", name))
		all = append(all, part...)
		failures = append(failures, err)
	}
	return all, errors.Join(failures...)
}
