package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"wikictl/tenants/disk"
	"wikictl/tenants/mask"
)

// File is a file of the farm as a whole, anywhere on the machine.
type File struct {
	Path         string // absolute
	Data         []byte
	Mode         fs.FileMode
	Owner, Group string // names; empty: those of the user who runs wikictl
	Err          error  // why it can't be rendered; it is left unchanged
}

// FileFault reports why a file of the farm as a whole was left unchanged.
type FileFault struct {
	Path string
	Err  error
}

// FilesError reports that files of the farm as a whole were left unchanged; it does not
// concern tenants.
type FilesError struct{ Faults []FileFault }

// Error returns a line for each file.
func (e *FilesError) Error() string {
	return perLine(e.Faults, func(f FileFault) string { return fmt.Sprintf("file %s: %s", f.Path, f.Err) })
}

// perLine writes a line for each element of a list.
func perLine[T any](list []T, write func(T) string) string {
	lines := make([]string, len(list))
	for i, one := range list {
		lines[i] = write(one)
	}
	return strings.Join(lines, "\n")
}

// FaultsError returns faults as a *FilesError, or nil for an empty list.
func FaultsError(faults []FileFault) error {
	if len(faults) == 0 {
		return nil
	}
	return &FilesError{faults}
}

// made is the record of a file that wikictl made outside of the state folder. Only such
// files are ever replaced or deleted.
type made struct {
	Sum  string `json:"sum,omitempty"`  // of the content that wikictl wrote; empty: its first write was interrupted
	Next string `json:"next,omitempty"` // of the content that it was about to write
}

// is reports whether wikictl made a file with that content. A file that it wrote and a
// person changed later is still wikictl's; a file that appeared while wikictl was about
// to write is not.
func (m made) is(sum string) bool { return m.Sum != "" || m.Next != "" && m.Next == sum }

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// readMade reads the record of the files that wikictl made, by path.
func (d *Deployer) readMade() (map[string]made, error) {
	all := map[string]made{}
	err := readRecord(d.layout.FarmFiles(), &all)
	return all, err
}

// readRecord reads a record of the state folder, in JSON, into a variable, which it leaves as it is
// if no such record was written.
func readRecord(path string, into any) error {
	data, err := disk.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// noteMade changes that record durably.
func (d *Deployer) noteMade(change func(map[string]made)) error {
	all, err := d.readMade()
	if err != nil {
		return err
	}
	before := maps.Clone(all)
	change(all)
	if maps.Equal(before, all) {
		return nil
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(d.layout.FarmFiles(), data, 0o600, -1)
}

// fileSwap is the change of one file of the farm as a whole.
type fileSwap struct {
	Path string      `json:"path"`
	Kind Kind        `json:"kind"` // Add, Edit or Delete
	Data []byte      `json:"data,omitempty"`
	Mode fs.FileMode `json:"mode,omitempty"`
	UID  int         `json:"uid"` // -1: the user who runs wikictl
	GID  int         `json:"gid"`
	Over string      `json:"over,omitempty"` // of an added file: the checksum of the file that a killed run had added

	shown Kind // the kind that Compare shows
}

// standing is the state of a path on disk.
type standing struct {
	there bool
	data  []byte
	mode  fs.FileMode
	stat  *syscall.Stat_t
}

// onDisk reads a regular file. Anything else is an error, because wikictl never replaces
// it.
func onDisk(path string) (s standing, err error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if !info.Mode().IsRegular() {
		what := map[fs.FileMode]string{fs.ModeSymlink: "a symbolic link", fs.ModeDir: "a folder"}[info.Mode().Type()]
		if what == "" {
			what = "not a regular file"
		}
		return s, fmt.Errorf("is %s, and wikictl replaces only regular files: move it away, or choose another path", what)
	}
	s.there, s.mode, s.stat = true, info.Mode().Perm(), info.Sys().(*syscall.Stat_t)
	s.data, err = disk.Read(path)
	return s, err
}

// compareFiles returns the changes that bring the farm's files into their wanted state, and
// the faults of files that can't change. The changes delete files that wikictl made and that
// are no longer declared.
func (d *Deployer) compareFiles(files []File) (swaps []fileSwap, faults []FileFault, err error) {
	all, err := d.readMade()
	if err != nil {
		return nil, nil, err
	}
	wanted := map[string]bool{}
	for _, f := range files {
		wanted[f.Path] = true
		s, err := d.compareFarmFile(f, all[f.Path])
		switch {
		case err != nil:
			faults = append(faults, FileFault{f.Path, err})
		case s.Kind != "":
			swaps = append(swaps, s)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if wanted[path] {
			continue
		}
		s, err := unwanted(path, all[path])
		switch {
		case err != nil:
			faults = append(faults, FileFault{path, err})
		case s.Kind != "":
			swaps = append(swaps, s)
		}
	}
	return swaps, faults, nil
}

// compareFarmFile returns the change of one file; its kind is empty if the file does not
// differ.
func (d *Deployer) compareFarmFile(f File, known made) (s fileSwap, err error) {
	if f.Err != nil {
		return s, f.Err
	}
	s = fileSwap{Path: f.Path, Data: f.Data, Mode: f.Mode}
	if s.UID, s.GID, err = ids(f.Owner, f.Group); err != nil {
		return s, err
	}
	have, err := onDisk(f.Path)
	switch {
	case err != nil:
		return s, err
	case !have.there:
		s.Kind = Add
	case !known.is(checksum(have.data)):
		return s, errors.New("exists, and wikictl did not make it: move it away, or choose another path")
	case string(have.data) != string(f.Data):
		s.Kind = Edit
	case have.mode != f.Mode, s.UID >= 0 && int(have.stat.Uid) != s.UID, s.GID >= 0 && int(have.stat.Gid) != s.GID:
		s.Kind, s.shown = Edit, Mode
	default:
		return s, nil
	}
	if s.shown == "" {
		s.shown = s.Kind
	}
	return s, d.checkFolder(filepath.Dir(f.Path))
}

// checkFolder refuses a folder that is missing, that every user may write to (its content
// could be replaced at any moment), or that leads into the state folder.
func (d *Deployer) checkFolder(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder %s does not exist: make it, or choose another path", dir)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder: choose another path", dir)
	case info.Mode()&0o002 != 0:
		return fmt.Errorf("every user may write to the folder %s: choose another path", dir)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	state, err := filepath.EvalSymlinks(d.layout.State)
	if err == nil && strings.HasPrefix(real+"/", state+"/") {
		return fmt.Errorf("the folder %s leads into the state folder: choose another path", dir)
	}
	return disk.IgnoreAbsent(err)
}

// unwanted returns the deletion of a file that wikictl made and that is no longer
// declared. A file that a person changed stays.
func unwanted(path string, known made) (s fileSwap, err error) {
	have, err := onDisk(path)
	if err != nil || !have.there {
		return s, nil // it is no longer wikictl's
	}
	switch sum := checksum(have.data); {
	case known.Sum == sum || known.Next == sum:
		return fileSwap{Path: path, Kind: Delete, UID: -1, GID: -1, shown: Delete}, nil
	case known.Sum == "": // another program made it
		return s, nil
	}
	return s, errors.New("is no longer declared, and was changed by hand: delete it yourself")
}

// ids looks up a user and a group; -1 stands for the user who runs wikictl.
func ids(owner, group string) (uid, gid int, err error) {
	uid, gid = -1, -1
	if owner != "" {
		u, err := user.Lookup(owner)
		if err != nil {
			return uid, gid, err
		}
		uid, _ = strconv.Atoi(u.Uid)
	}
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			return uid, gid, err
		}
		gid, _ = strconv.Atoi(g.Gid)
	}
	if uid >= 0 && os.Geteuid() != 0 && uid != os.Geteuid() {
		return uid, gid, fmt.Errorf("only root can give files to %s: run wikictl as root, or leave owner out", owner)
	}
	return uid, gid, nil
}

// CompareFiles lists the differences of the farm's files, and why some are left
// unchanged. It writes nothing.
func (d *Deployer) CompareFiles(_ context.Context, s Source, diffs bool) (changes []Change, faults []FileFault, err error) {
	if s.Files == nil {
		return nil, nil, nil
	}
	swaps, faults, err := d.compareFiles(s.Files)
	if errors.Is(err, fs.ErrPermission) { // only users who write may read the record
		return nil, []FileFault{{d.layout.FarmFiles(), err}}, nil
	}
	for _, swap := range swaps {
		c := Change{Path: swap.Path, Kind: swap.shown}
		if diffs && swap.shown != Mode {
			have, err := onDisk(swap.Path)
			if err != nil {
				return nil, nil, err
			}
			c.Diff = diff(swap.Path, string(have.data), string(swap.Data), mask.New())
		}
		changes = append(changes, c)
	}
	return changes, faults, err
}
