// Package backup reads and writes the files of dumps: names, descriptions, checksums, and
// rules for how long they are kept. It knows no SQL; tenants/mariadb makes and restores
// dumps.
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
	Bytes     int64               `json:"bytes"`                  // of the file
	SHA256    string              `json:"sha256"`                 // of the file
	Text      int64               `json:"text_bytes,omitempty"`   // of the SQL; 0 for an operator's dump, and in old ones
	Stored    int64               `json:"stored_bytes,omitempty"` // of the database's files; 0: not seen
	Tables    map[string]Contents `json:"tables"`

	// Objects maps views, triggers, routines and events, such as "view v", to digests of
	// their definitions.
	Objects map[string]string `json:"objects,omitempty"`

	// Broken maps views that could not be used when the database was dumped to their
	// definitions. They are not in the dump; Restore tries to make them.
	Broken map[string]string `json:"broken_views,omitempty"`

	// Numbers maps tables to the AUTO_INCREMENT values reached in states that a restore
	// discarded. Caches identify pages, revisions and texts by such numbers, so they must
	// not be assigned again.
	Numbers map[string]uint64 `json:"numbers,omitempty"`

	// Newest has the highest numbers of accounts and authors in the dump, by table: user and
	// actor. It is nil in dumps that earlier versions of wikictl made.
	Newest map[string]int64 `json:"newest,omitempty"`

	// Author is, of a wiki that has the accounts of another, the highest number of an author that
	// its rows name: a restore of the other wiki takes authors from the end.
	Author int64 `json:"author,omitempty"`

	// Restore is the operator's restore command; empty for wikictl's own dumps: SQL as
	// mariadb-dump writes it, compressed by zstd.
	Restore []string `json:"restore,omitempty"`

	// Snapshot reports whether Tables describe exactly the rows of the dump, even if other
	// clients wrote during the dump.
	Snapshot bool `json:"snapshot,omitempty"`

	// Renamed reports whether Database differs from the dumped database's name. Objects
	// that contain the name, such as views, are not compared then.
	Renamed bool `json:"renamed,omitempty"`

	// More are the dumps of the wiki's further databases, in files beside this one.
	More []*Dump `json:"more,omitempty"`

	// Dumped is, of one of More, the name of the database that was dumped.
	Dumped string `json:"dumped,omitempty"`

	File string `json:"-"`

	// Definitions maps tables to their CREATE TABLE statements in the dump; nil if this
	// process did not make the dump or an operator's command did.
	Definitions map[string]string `json:"-"`

	// Longest is the size in bytes of the longest statement of wikictl's own dump, known
	// after Verify.
	Longest int64 `json:"-"`
}

// DumpEnd begins the last line of a complete dump.
const DumpEnd = "-- Dump completed"

// Endings of the names of dumps: wikictl's own, and of the operator's command.
const (
	OwnDump      = ".sql.zst"
	OperatorDump = ".dump"
)

// plus separates, in the name of a dump of a further database, the name of the wiki's dump from
// that of the database. No run's id contains it.
const plus = "+"

// FurtherBase returns the path, without its ending, of the dump of a further database
// that belongs to the dump with the path base.
func FurtherBase(base, database string) string { return base + plus + database }

// All returns the dump and those of the wiki's further databases.
func (b *Dump) All() []*Dump { return append([]*Dump{b}, b.More...) }

// Size returns the bytes of all its files.
func (b *Dump) Size() (bytes int64) {
	for _, one := range b.All() {
		bytes += one.Bytes
	}
	return bytes
}

// Loaded returns about how many bytes a server needs at least for the databases of the dump:
// half of the text, in which binary values are hexadecimal, and the four pages of an empty table.
func (b *Dump) Loaded() (bytes int64) {
	for _, one := range b.All() {
		bytes += max(one.Text/2, one.Bytes) + int64(len(one.Tables))*4*16<<10
	}
	return bytes
}

// StoredBytes returns the bytes of the files that the databases had when they were dumped; 0 if one
// of them is not known.
func (b *Dump) StoredBytes() (bytes int64) {
	for _, one := range b.All() {
		if one.Stored == 0 {
			return 0
		}
		bytes += one.Stored
	}
	return bytes
}

func describedBy(file string) string {
	return strings.TrimSuffix(strings.TrimSuffix(file, OwnDump), OperatorDump) + ".json"
}

// DescribeInFile writes the description beside the dump; it is durable when
// DescribeInFile returns.
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

// Open reads the description of a dump, not the dump.
func Open(file string) (*Dump, error) {
	data, err := disk.Read(describedBy(file))
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	b := &Dump{File: file}
	if err := json.Unmarshal(data, b); err != nil {
		return nil, fmt.Errorf("backup %s: %w", describedBy(file), err)
	}
	for _, one := range b.All() {
		if err := one.check(); err != nil {
			return nil, fmt.Errorf("backup %s: %w", describedBy(file), err)
		}
	}
	base := strings.TrimSuffix(describedBy(file), ".json")
	for _, one := range b.More {
		one.File = FurtherBase(base, one.Dumped) + strings.TrimPrefix(file, base)
	}
	return b, nil
}

// Find reads the description of wikictl's own dump with the path base, without suffix.
// The error is fs.ErrNotExist if there is no complete dump.
func Find(base string) (*Dump, error) { return Open(base + OwnDump) }

// As returns the description for a restore into a database of another name. further are the new
// names of the further databases; those without a new name are left out.
func (b *Dump) As(database string, further ...string) *Dump {
	as := *b
	as.Renamed = b.Renamed || database != b.Database
	as.Database, as.More = database, nil
	for i, name := range further {
		as.More = append(as.More, b.More[i].As(name))
	}
	return &as
}

// charsetName matches names of character sets and collations.
var charsetName = regexp.MustCompile(`^[a-zA-Z0-9_]+$`)

// check returns an error if values of a description could change the statements of a
// restore.
func (b *Dump) check() error {
	switch {
	case b.Database == "" || tenants.ServerOwns(b.Database) || strings.ContainsAny(b.Database+b.Dumped, "/+"):
		return fmt.Errorf("%q can't be the database of a wiki", b.Database)
	case !charsetName.MatchString(b.Charset):
		return fmt.Errorf("charset: %q can't be a character set", b.Charset)
	case !charsetName.MatchString(b.Collation):
		return fmt.Errorf("collation: %q can't be a collation", b.Collation)
	}
	for name, create := range b.Broken {
		if !strings.HasPrefix(create, "CREATE ") && !strings.HasPrefix(create, "-- ") {
			return fmt.Errorf("broken_views: %s is not a definition of a view", name)
		}
	}
	return nil
}

// Remove deletes the dump with the path base, without suffix, its description, the dumps
// of further databases, and incomplete files of a killed process.
func Remove(base string) error {
	entries, err := os.ReadDir(filepath.Dir(base))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var errs []error
	remove := func(path string) {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, path := range []string{base + OwnDump, base + OperatorDump, base + ".json"} {
		remove(path)
		remove(path + ".half")
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(base)+plus) {
			remove(filepath.Join(filepath.Dir(base), e.Name()))
		}
	}
	return errors.Join(errs...)
}

// Verify reads the whole dump, with those of further databases, and checks its checksum
// and, for wikictl's own dumps, that the last line is complete.
func (b *Dump) Verify() error {
	for _, one := range b.All() {
		if err := one.verify(); err != nil {
			return err
		}
	}
	return nil
}

func (b *Dump) verify() error {
	f, err := os.Open(b.File)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	last, err := b.read(io.TeeReader(f, sum))
	if err == nil {
		_, err = io.Copy(sum, f) // data after the compressed text
	}
	if err != nil {
		return fmt.Errorf("backup %s: %w", b.File, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != b.SHA256 {
		return fmt.Errorf("backup %s: its checksum is %s, but %s was written", b.File, got, b.SHA256)
	}
	if b.Restore == nil && !strings.Contains(last.String(), DumpEnd) {
		return fmt.Errorf("backup %s: its end is missing", b.File)
	}
	return nil
}

// read reads a dump to its end and returns the last bytes of its text.
func (b *Dump) read(r io.Reader) (*process.Tail, error) {
	last, statements := &process.Tail{}, &Statements{}
	if b.Restore != nil { // only the operator's command knows the format
		_, err := io.Copy(last, r)
		return last, err
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	_, err = io.Copy(io.MultiWriter(last, statements), z)
	b.Longest, b.Text = statements.Longest, statements.Bytes
	return last, err
}
