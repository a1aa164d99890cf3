// Package backup has the files of dumps: their names and descriptions, whether they are
// whole, and how long they are kept. It knows no SQL; tenants/mariadb writes and restores
// what is described here.
package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/process"
)

// Dump describes a dump of a database. It is kept as JSON beside the dump.
type Dump struct {
	Database  string              `json:"database"`
	Charset   string              `json:"charset"` // of the database
	Collation string              `json:"collation"`
	Taken     time.Time           `json:"taken"`
	Bytes     int64               `json:"bytes"`  // of the file
	SHA256    string              `json:"sha256"` // of the file
	Tables    map[string]Contents `json:"tables"`

	// Objects are views, triggers, routines and events, such as "view v", with
	// digests of their definitions.
	Objects map[string]string `json:"objects,omitempty"`

	// Broken are the definitions of views that could not be used when the database
	// was dumped. The dump does not have them; Restore makes those that it can.
	Broken map[string]string `json:"broken_views,omitempty"`

	// Numbers are what AUTO_INCREMENT of each table had come to in states that a
	// restore gave up. Caches know pages, revisions and texts by such numbers, so
	// they are never given again.
	Numbers map[string]uint64 `json:"numbers,omitempty"`

	// Restore is the operator's command that brings it back; none: it is a dump
	// of wikictl's own, SQL as mariadb-dump writes it, compressed by zstd.
	Restore []string `json:"restore,omitempty"`

	// Snapshot reports whether Tables are of the very rows in the dump, whatever was
	// written meanwhile.
	Snapshot bool `json:"snapshot,omitempty"`

	// Renamed reports whether Database is another name than the dumped one: what names it,
	// as views do, is not compared.
	Renamed bool `json:"renamed,omitempty"`

	File string `json:"-"`

	// Definitions are the statements that create the tables, by table, as the dump has
	// them; nil if it was not made by this process or not by wikictl itself.
	Definitions map[string]string `json:"-"`

	// Longest is the size of the longest statement in a dump of wikictl's own, in bytes;
	// Verify finds it.
	Longest int64 `json:"-"`
}

// DumpEnd begins the last line of a dump that came to its end.
const DumpEnd = "-- Dump completed"

// Endings of the names of dumps: wikictl's own, and of the operator's command.
const (
	OwnDump      = ".sql.zst"
	OperatorDump = ".dump"
)

func describedBy(file string) string {
	return strings.TrimSuffix(strings.TrimSuffix(file, OwnDump), OperatorDump) + ".json"
}

// DescribeInFile writes the description beside the dump, on disk when it returns.
func (b *Dump) DescribeInFile() error {
	data, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	half := describedBy(b.File) + ".half"
	if err := os.WriteFile(half, data, 0o600); err != nil {
		return errors.Join(err, os.Remove(half))
	}
	f, err := os.Open(half)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close(), os.Rename(half, describedBy(b.File))); err != nil {
		return err
	}
	return disk.SyncFolder(filepath.Dir(b.File))
}

// Open reads the description of a dump, which it does not read.
func Open(file string) (*Dump, error) {
	data, err := os.ReadFile(describedBy(file))
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	b := &Dump{File: file}
	if err := json.Unmarshal(data, b); err != nil {
		return nil, fmt.Errorf("backup %s: %w", describedBy(file), err)
	}
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("backup %s: %w", describedBy(file), err)
	}
	return b, nil
}

// Find reads the description of wikictl's own dump with the path base, without its
// ending; the error is fs.ErrNotExist when there is none, or none that was completed.
func Find(base string) (*Dump, error) { return Open(base + OwnDump) }

// As is the dump for a database of another name.
func (b *Dump) As(database string) *Dump {
	as := *b
	as.Renamed = b.Renamed || database != b.Database
	as.Database = database
	return &as
}

// charsetName is the form of the names of character sets and collations.
var charsetName = regexp.MustCompile(`^[a-zA-Z0-9_]+$`)

// check refuses a description that would make other statements than those that it was
// written for.
func (b *Dump) check() error {
	switch {
	case b.Database == "" || tenants.ServerOwns(b.Database):
		return fmt.Errorf("it is of no wiki's database: %q", b.Database)
	case !charsetName.MatchString(b.Charset):
		return fmt.Errorf("charset: %q is no character set", b.Charset)
	case !charsetName.MatchString(b.Collation):
		return fmt.Errorf("collation: %q is no collation", b.Collation)
	}
	for name, create := range b.Broken {
		if !strings.HasPrefix(create, "CREATE ") && !strings.HasPrefix(create, "-- ") {
			return fmt.Errorf("broken_views: %s is no definition of a view", name)
		}
	}
	return nil
}

// Remove deletes the dump with the path base, without its ending, its description, and
// what a process that was killed left of them.
func Remove(base string) error {
	var errs []error
	for _, path := range []string{base + OwnDump, base + OperatorDump, base + ".json"} {
		for _, name := range []string{path, path + ".half"} {
			if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// Verify reads the whole dump: its checksum and, of wikictl's own, that it came
// to its end.
func (b *Dump) Verify() error {
	f, err := os.Open(b.File)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	last, err := b.read(io.TeeReader(f, sum))
	if err == nil {
		_, err = io.Copy(sum, f) // what follows the compressed text
	}
	if err != nil {
		return fmt.Errorf("backup %s: %w", b.File, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != b.SHA256 {
		return fmt.Errorf("backup %s: its checksum is %s, but %s was written", b.File, got, b.SHA256)
	}
	if b.Restore == nil && !strings.Contains(last.String(), DumpEnd) {
		return fmt.Errorf("backup %s: it does not end as a dump does", b.File)
	}
	return nil
}

// read reads a dump to its end and returns the last of its text.
func (b *Dump) read(r io.Reader) (*process.Tail, error) {
	last, statements := &process.Tail{}, &Statements{}
	if b.Restore != nil { // only the operator's command can read it
		_, err := io.Copy(last, r)
		return last, err
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	_, err = io.Copy(io.MultiWriter(last, statements), z)
	b.Longest = statements.Longest
	return last, err
}
