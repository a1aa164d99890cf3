package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"wikictl/tenants/disk"
)

// fileError is the error of a file of the farm as a whole that can't be changed.
type fileError struct {
	path string
	err  error
}

// Error names the file.
func (e *fileError) Error() string { return fmt.Sprintf("file %s: %s", e.path, e.err) }

// Unwrap returns the reason.
func (e *fileError) Unwrap() error { return e.err }

// planFiles adds the changes of the farm's files to a journal. It first records the files as
// made by wikictl.
func (d *Deployer) planFiles(j *journal, files []File) ([]FileFault, error) {
	if files == nil {
		return nil, nil
	}
	swaps, faults, err := d.compareFiles(files)
	if err != nil {
		return nil, err
	}
	if err := j.mergeFiles(swaps, files, faults); err != nil {
		return nil, err
	}
	return faults, d.noteMade(func(all map[string]made) {
		for _, s := range j.Files {
			if s.Kind != Delete {
				known := all[s.Path]
				known.Next = checksum(s.Data)
				all[s.Path] = known
			}
		}
		for path := range all {
			if !declared(files, path) && !Exists(path) {
				delete(all, path)
			}
		}
	})
}

// mergeFiles adds changes to those of an interrupted run: an undo restores the state
// before both.
func (j *journal) mergeFiles(swaps []fileSwap, files []File, faults []FileFault) error {
	begun := map[string]fileSwap{}
	for _, s := range j.Files {
		begun[s.Path] = s
	}
	j.Files = nil
	for _, s := range swaps {
		if old, left := begun[s.Path]; left {
			if old.Kind == Add && s.Kind == Edit {
				s.Over = checksum(old.Data)
			}
			s.Kind = mergeKind(old.Kind, s.Kind)
			delete(begun, s.Path)
		}
		j.Files = append(j.Files, s)
	}
	var err error
	for path, s := range begun {
		wanted := declared(files, path) && !slices.ContainsFunc(faults, func(f FileFault) bool { return f.Path == path })
		if wanted == (s.Kind != Delete) { // it already has its new state
			j.Files = append(j.Files, s)
			continue
		}
		err = errors.Join(err, remove(beside(path, "wikictl-old")), remove(beside(path, "wikictl-new")))
	}
	return err
}

func declared(files []File, path string) bool {
	for _, f := range files {
		if f.Path == path {
			return true
		}
	}
	return false
}

// commitAll is commitSound with the farm's files, in one step. If one of the files fails,
// it commits the tenants first and then each file alone.
func (d *Deployer) commitAll(ctx context.Context, j journal, moved map[string]string) (reloaded bool, refused map[string]error, faults []FileFault, err error) {
	if len(j.Files) == 0 {
		reloaded, refused, err = d.commitSound(ctx, j, moved)
		return reloaded, refused, nil, err
	}
	if reloaded, err = d.commit(ctx, j); !separable(err) || ctx.Err() != nil {
		return reloaded, nil, nil, err
	}
	files := j.Files
	j.Files = nil
	if reloaded, refused, err = d.commitSound(ctx, j, moved); err != nil {
		return reloaded, refused, nil, err
	}
	for _, f := range files {
		again, err := d.commit(ctx, journal{Files: []fileSwap{f}})
		reloaded = reloaded || again
		switch {
		case separable(err):
			faults = append(faults, FileFault{f.Path, err})
		case err != nil:
			return reloaded, refused, faults, err
		}
	}
	return reloaded, refused, faults, nil
}

// separable reports whether an error comes from the web server's check or from one of the
// farm's files; then the earlier state is restored.
func separable(err error) bool {
	if refusal(err) {
		return true
	}
	var of *fileError
	joined, several := err.(interface{ Unwrap() []error })
	return errors.As(err, &of) && (!several || len(joined.Unwrap()) == 1)
}

// bringFiles makes the changes of the farm's files. It can be repeated.
func (d *Deployer) bringFiles(j journal) error {
	for _, s := range j.Files {
		if err := bringFile(s); err != nil {
			return &fileError{s.Path, err}
		}
	}
	return nil
}

func bringFile(s fileSwap) error {
	saved, temporary := beside(s.Path, "wikictl-old"), beside(s.Path, "wikictl-new")
	if s.Kind == Delete {
		if Exists(saved) {
			return remove(s.Path)
		}
		return errors.Join(disk.IgnoreAbsent(os.Rename(s.Path, saved)), disk.IgnoreAbsent(disk.SyncFolder(filepath.Dir(s.Path))))
	}
	if s.Kind == Edit && !Exists(saved) {
		if err := os.Link(s.Path, saved); disk.IgnoreAbsent(err) != nil {
			return err
		}
	}
	if err := errors.Join(remove(temporary), createOwned(temporary, s)); err != nil {
		return errors.Join(err, remove(temporary))
	}
	if s.Kind == Edit {
		return errors.Join(os.Rename(temporary, s.Path), disk.SyncFolder(filepath.Dir(s.Path)))
	}
	err := os.Link(temporary, s.Path)
	if errors.Is(err, fs.ErrExist) {
		err = nil
		have, wrong := onDisk(s.Path)
		switch {
		case wrong == nil && string(have.data) == string(s.Data):
		case wrong == nil && s.Over != "" && checksum(have.data) == s.Over:
			err = os.Rename(temporary, s.Path)
		default:
			err = errors.New("was made by another program during this run: move it away, or choose another path")
		}
	}
	return errors.Join(err, remove(temporary), disk.SyncFolder(filepath.Dir(s.Path)))
}

// createOwned writes a new file that no other user can read before it is complete.
func createOwned(path string, s fileSwap) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(s.Data); err != nil {
		return err
	}
	if s.UID >= 0 || s.GID >= 0 {
		if err := f.Chown(s.UID, s.GID); err != nil {
			return err
		}
	}
	return errors.Join(f.Chmod(s.Mode), f.Sync())
}

// takeBackFiles undoes bringFiles.
func (d *Deployer) takeBackFiles(j journal) (err error) {
	for _, s := range j.Files {
		err = errors.Join(err, takeBackFile(s))
	}
	return err
}

func takeBackFile(s fileSwap) error {
	saved := beside(s.Path, "wikictl-old")
	if s.Kind == Add {
		have, err := onDisk(s.Path)
		if err == nil && have.there && (string(have.data) == string(s.Data) || checksum(have.data) == s.Over) {
			return remove(s.Path)
		}
		return nil // not begun, or made by another program
	}
	if !Exists(saved) {
		return nil // not begun
	}
	return errors.Join(os.Rename(saved, s.Path), remove(saved), disk.SyncFolder(filepath.Dir(s.Path)))
}

// cleanFiles removes the backups for an undo, and records which files wikictl has made.
func (d *Deployer) cleanFiles(j journal) (err error) {
	if len(j.Files) == 0 {
		return nil
	}
	for _, s := range j.Files {
		for _, suffix := range []string{"wikictl-old", "wikictl-new"} {
			err = errors.Join(err, remove(beside(s.Path, suffix)))
		}
	}
	return errors.Join(err, d.noteMade(func(all map[string]made) {
		for _, s := range j.Files {
			if s.Kind == Delete {
				delete(all, s.Path)
				continue
			}
			all[s.Path] = made{Sum: checksum(s.Data)}
		}
	}))
}
