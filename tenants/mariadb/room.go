package mariadb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/disk"
	"wikictl/tenants/mariadb/schema"
)

// OwnGrowth is about how many bytes a server's own files grow by while it loads a database: the
// logs of its changes, its statistics, and its system tablespace.
const OwnGrowth = 4 << 20

// dataFolder returns the folder of the server's databases; empty if it is not known to be on this
// machine, or if the server keeps its tables in one file, which never shrinks.
func (s *Server) dataFolder(ctx context.Context) (folder string, err error) {
	if s.config.Net != "unix" {
		return "", nil
	}
	var apart bool
	if err := s.db.QueryRowContext(ctx, "SELECT @@GLOBAL.datadir, @@GLOBAL.innodb_file_per_table").Scan(&folder, &apart); err != nil {
		return "", fmt.Errorf("server %s: find its data: %w", s.Name, err)
	}
	if own, err := disk.Used(filepath.Join(folder, "mysql")); !apart || err != nil || own == 0 {
		return "", nil
	}
	return folder, nil
}

// used returns the bytes that databases take in the server's data folder; known is false if that
// can't be seen.
func used(folder string, databases ...string) (bytes int64, known bool, err error) {
	for _, name := range databases {
		n, err := disk.Used(filepath.Join(folder, name))
		if errors.Is(err, fs.ErrPermission) {
			return 0, false, nil
		}
		if err != nil {
			return 0, false, err
		}
		bytes += n
	}
	return bytes, true, nil
}

// TableFiles returns the folder of the server's databases, and the bytes that the files of their
// tables take there, by database and table. The folder is empty if that can't be seen from here.
func (s *Server) TableFiles(ctx context.Context, databases []string) (folder string, files map[string]map[string]int64, err error) {
	folder, err = s.dataFolder(ctx)
	if err != nil || folder == "" {
		return "", nil, err
	}
	files = map[string]map[string]int64{}
	for _, name := range databases {
		files[name], err = tableFiles(filepath.Join(folder, name))
		if errors.Is(err, fs.ErrPermission) {
			return "", nil, nil
		}
		if err != nil {
			return "", nil, err
		}
	}
	return folder, files, nil
}

// tableFiles returns the bytes of the files in the folder of a database, by table; those of
// partitions count for their table, and those of unfinished changes of tables for none.
func tableFiles(folder string) (map[string]int64, error) {
	entries, err := os.ReadDir(folder)
	if disk.IgnoreAbsent(err) != nil {
		return nil, err
	}
	bytes := map[string]int64{}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), "#")
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && name != "" {
			bytes[schema.DecodeName(name)] += stat.Blocks * 512
		}
	}
	return bytes, nil
}

// LoadSpace is what a server needs on its disk for loading a dump, beyond what dropping databases
// frees. Folder is empty if that can't be seen from here.
type LoadSpace struct {
	Folder       string
	Bytes, Files int64
}

// LoadSpace returns what the server needs for loading a dump after dropping databases.
func (s *Server) LoadSpace(ctx context.Context, b *backup.Dump, dropped ...string) (LoadSpace, error) {
	folder, err := s.dataFolder(ctx)
	if err != nil || folder == "" {
		return LoadSpace{}, err
	}
	freed, known, err := used(folder, dropped...)
	if err != nil || !known {
		return LoadSpace{}, err
	}
	need := b.Loaded()
	if freed > 0 { // what is dropped is lost if the load then finds no room
		need = max(need, b.StoredBytes())
	}
	load := LoadSpace{folder, need + OwnGrowth - freed, newFiles(b)}
	for _, name := range dropped {
		entries, err := os.ReadDir(filepath.Join(folder, name))
		if disk.IgnoreAbsent(err) != nil {
			return LoadSpace{}, err
		}
		load.Files -= int64(len(entries))
	}
	return load, nil
}

// newFiles is about how many files and folders loading a dump makes: of a table its definition and
// its rows, and db.opt in each database's folder.
func newFiles(b *backup.Dump) (n int64) {
	for _, one := range b.All() {
		n += 2 + 2*int64(len(one.Tables))
	}
	return n
}

// Fits returns an error if Restore of a dump would find no room on the server's disk, as far as
// that can be seen from here.
func (s *Server) Fits(ctx context.Context, b *backup.Dump) error {
	var dropped []string
	for _, one := range b.All() {
		dropped = append(dropped, one.Database)
	}
	need, err := s.LoadSpace(ctx, b, dropped...)
	if err != nil || need.Folder == "" {
		return err
	}
	free, err := disk.Free(need.Folder)
	if err != nil {
		return err
	}
	if free.Lacks(need.Bytes) {
		return tenants.WithHint(fmt.Errorf("nothing was dropped: loading the dump would need about %d MB in %s beside what is dropped, and %d MB are free", 1+need.Bytes>>20, need.Folder, free.Bytes>>20),
			"make room there, and run this again")
	}
	if free.LacksFiles(need.Files) {
		return tenants.WithHint(fmt.Errorf("nothing was dropped: loading the dump would need %d new files in %s beside what is dropped, and its file system has inodes for %d (df -i)", need.Files, need.Folder, free.Files),
			"remove files there, and run this again")
	}
	return nil
}
