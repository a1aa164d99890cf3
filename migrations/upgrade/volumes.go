package upgrade

import (
	"fmt"
	"slices"

	"wikictl/migrations/upgrade/forecast"
	"wikictl/tenants/disk"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// DataFolder is the folder of a server's databases with the space that a plan needs there.
type DataFolder struct {
	Path  string `json:"path"`
	Space int64  `json:"space"` // bytes, for copies of tables, new tables and ways back
	Free  int64  `json:"free"`  // bytes on its file system
}

// room is the space that an upgrade needs beside a wiki's tables, in bytes.
type room struct {
	grown int64 // for columns and indexes to which rows are moved, until their tables are copied
	copy  int64 // of the largest table that is copied
	kept  int64 // after the upgrade
}

// newTables is about how many bytes a database grows by for the new tables of a version: those of
// 1.43 take 240 kB more than those of 1.39.
const newTables = 256 << 10

// roomFor returns the space that the upgrade of a database needs whose tables take these bytes;
// ahead reports whether rows are only moved ahead.
func roomFor(tables map[string]int64, old, new string, ahead bool) *room {
	r := &room{kept: newTables}
	for table, bytes := range tables {
		change := forecast.ChangeOf(table, old, new)
		if change == forecast.Moved {
			r.grown += bytes
		}
		if change != forecast.Kept {
			r.copy = max(r.copy, bytes)
		}
	}
	if ahead { // a later run copies the tables
		return &room{kept: r.grown}
	}
	return r
}

// peak holds what upgrades need at a time at most, except what they keep: the largest numbers of
// those that can be in work at once. All copies of tables pass the server's gate. A way back drops
// the database first, so it needs no more than the server's own growth.
type peak struct{ grown, copies []int64 }

func (p peak) with(r room, atOnce int) peak {
	return peak{largest(atOnce, p.grown, r.grown), largest(min(atOnce, session.GateSize), p.copies, r.copy)}
}

func (p peak) bytes() (sum int64) {
	if len(p.grown) == 0 {
		return 0
	}
	for _, n := range slices.Concat(p.grown, p.copies) {
		sum += n
	}
	return sum + mariadb.OwnGrowth
}

// largest returns the n largest of some numbers and one more.
func largest(n int, numbers []int64, more int64) []int64 {
	all := append(slices.Clone(numbers), more)
	slices.Sort(all)
	return all[max(len(all)-n, 0):]
}

// volumes adds up the space that a plan needs on file systems, wave after wave.
type volumes struct {
	atOnce  int // wikis in work on one server
	wave    int
	spaces  map[string]disk.Space // by folder
	dumps   map[uint64]int64      // bytes of dumps, by file system
	files   map[uint64]int64      // new files, by file system
	kept    map[string]int64      // bytes, by data folder
	running map[string]peak       // of this wave, by data folder
	most    map[string]int64      // bytes at the worst time until now, by data folder
}

func newVolumes(o Options) *volumes {
	v := &volumes{
		atOnce: inFlight(max(o.Jobs, 1)), spaces: map[string]disk.Space{}, dumps: map[uint64]int64{}, files: map[uint64]int64{},
		kept: map[string]int64{}, running: map[string]peak{}, most: map[string]int64{},
	}
	if o.PerServer > 0 {
		v.atOnce = min(v.atOnce, o.PerServer)
	}
	return v
}

func (v *volumes) enter(wave int) {
	if v.wave != wave {
		v.wave, v.running = wave, map[string]peak{}
	}
}

func (v *volumes) space(folder string) (s disk.Space, err error) {
	s, known := v.spaces[folder]
	if !known {
		if s, err = disk.Free(folder); err == nil {
			v.spaces[folder] = s
		}
	}
	return s, err
}

// taken returns the bytes that are needed on a file system at the worst time of this wave.
func (v *volumes) taken(device uint64) int64 {
	bytes := v.dumps[device]
	for folder, kept := range v.kept {
		if v.spaces[folder].Device == device {
			bytes += kept + v.running[folder].bytes()
		}
	}
	return bytes
}

// fitDump returns an error if a dump finds no room in a folder beside what is counted.
func (v *volumes) fitDump(folder string, bytes int64) error {
	s, err := v.space(folder)
	if err != nil {
		return err
	}
	if taken := v.taken(s.Device); s.Lacks(taken + bytes) {
		return fmt.Errorf("its dump may need %d MB, and %s has %d MB left beside the dumps of the wikis before it: make room there, or upgrade them first and remove dumps",
			1+bytes>>20, folder, max(s.Bytes-taken, 0)>>20)
	}
	return nil
}

// fitData returns an error if an upgrade finds no room in a data folder beside what is counted, and
// beside its own dump.
func (v *volumes) fitData(folder string, r room, backups string, dump int64) error {
	s, err := v.space(folder)
	if err != nil {
		return err
	}
	if v.spaces[backups].Device != s.Device {
		dump = 0
	}
	taken, alone := v.taken(s.Device), r.kept+dump+peak{}.with(r, 1).bytes()
	more := r.kept + dump + v.running[folder].with(r, v.atOnce).bytes() - v.running[folder].bytes()
	if !s.Lacks(taken + more) {
		return nil
	}
	do := "make room there"
	if !s.Lacks(alone) {
		do += ", or upgrade fewer at once (--jobs)"
	}
	return fmt.Errorf("for copies of its tables and its way back it may need %d MB in %s, where %d MB are left beside the wikis upgraded before it or at the same time: %s",
		1+alone>>20, folder, max(s.Bytes-taken, 0)>>20, do)
}

// newFiles is about how many files, folders and links an upgrade makes for a wiki at most: its
// release, logs, dump, and marks.
const newFiles = 16

// fitFiles returns an error if a folder can't take the new files of an upgrade beside those that
// are counted, and counts them otherwise.
func (v *volumes) fitFiles(folders ...string) error {
	devices := map[uint64]bool{}
	for _, folder := range folders {
		s, err := v.space(folder)
		switch {
		case err != nil:
			return err
		case s.ReadOnly:
			return fmt.Errorf("the file system of %s is mounted read-only: mount it for writing", folder)
		case s.LacksFiles(v.files[s.Device] + newFiles):
			return fmt.Errorf("it may need %d new files, and the file system of %s has inodes for %d (df -i): remove files there", newFiles, folder, max(s.Files-v.files[s.Device], 0))
		}
		devices[s.Device] = true
	}
	for device := range devices {
		v.files[device] += newFiles
	}
	return nil
}

// add counts an upgrade, for which r is nil if the data folder can't be seen.
func (v *volumes) add(backups string, dump int64, data string, r *room) {
	v.dumps[v.spaces[backups].Device] += dump
	if r == nil {
		return
	}
	v.kept[data] += r.kept
	v.running[data] = v.running[data].with(*r, v.atOnce)
	v.most[data] = max(v.most[data], v.kept[data]+v.running[data].bytes())
}
