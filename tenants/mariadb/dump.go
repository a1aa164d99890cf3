package mariadb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Backup describes a dump. It is kept as JSON beside the dump, which is SQL as
// mariadb-dump writes it, compressed by zstd.
type Backup struct {
	Database  string              `json:"database"`
	Charset   string              `json:"charset"` // of the database
	Collation string              `json:"collation"`
	Taken     time.Time           `json:"taken"`
	Bytes     int64               `json:"bytes"`  // of the file
	SHA256    string              `json:"sha256"` // of the file
	Tables    map[string]Contents `json:"tables"`

	File string `json:"-"`
}

// Contents is what a table held when it was dumped.
type Contents struct {
	Rows     int64 `json:"rows"`
	Checksum int64 `json:"checksum"` // of CHECKSUM TABLE
}

// dumpEnd is the last line of a dump that came to its end.
const dumpEnd = "-- Dump completed"

// Dump writes a database into a new file, mode 0600, in one consistent
// transaction, with a description beside it, and reads it back. The caller keeps
// others from writing, so that the description fits the dump. Nothing is left
// when it fails.
func (s *Server) Dump(ctx context.Context, database, file string) (b *Backup, err error) {
	b = &Backup{Database: database, Taken: time.Now().UTC(), File: file}
	if err := s.describe(ctx, b); err != nil {
		return nil, fmt.Errorf("dump %q: %w", database, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	half := file + ".half"
	defer os.Remove(half)
	if err := s.dumpTo(ctx, b, half); err != nil {
		return nil, fmt.Errorf("dump %q: %w", database, err)
	}
	if err := os.Rename(half, file); err != nil {
		return nil, err
	}
	if err := b.Verify(); err != nil {
		return nil, errors.Join(err, os.Remove(file))
	}
	return b, b.describeInFile()
}

// describe reads what the database holds.
func (s *Server) describe(ctx context.Context, b *Backup) error {
	err := s.db.QueryRowContext(ctx, `SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?`, b.Database).
		Scan(&b.Charset, &b.Collation)
	if errors.Is(err, sql.ErrNoRows) {
		return errors.New("there is no such database")
	}
	if err != nil {
		return err
	}
	b.Tables, err = s.Contents(ctx, b.Database)
	return err
}

// Contents reads rows and checksum of each table of a database, by two queries.
func (s *Server) Contents(ctx context.Context, database string) (map[string]Contents, error) {
	names, err := s.Tables(ctx, database)
	if err != nil || len(names) == 0 {
		return map[string]Contents{}, err
	}
	full, counts := make([]string, len(names)), make([]string, len(names))
	for i, n := range names {
		full[i] = Quote(database) + "." + Quote(n)
		counts[i] = "SELECT " + literal(n) + ", COUNT(*) FROM " + full[i]
	}
	contents := map[string]Contents{}
	err = s.pairs(ctx, strings.Join(counts, " UNION ALL "), func(name string, n int64) { contents[name] = Contents{Rows: n} })
	if err != nil {
		return nil, err
	}
	err = s.pairs(ctx, "CHECKSUM TABLE "+strings.Join(full, ", "), func(name string, n int64) {
		_, table, _ := strings.Cut(name, ".")
		c := contents[table]
		c.Checksum = n
		contents[table] = c
	})
	return contents, err
}

func (s *Server) pairs(ctx context.Context, query string, each func(string, int64)) error {
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var n sql.NullInt64
		if err := rows.Scan(&name, &n); err != nil {
			return err
		}
		if !n.Valid {
			return fmt.Errorf("table %s can't be read", name)
		}
		each(name, n.Int64)
	}
	return rows.Err()
}

// dumpTo streams mariadb-dump through zstd into a file.
func (s *Server) dumpTo(ctx context.Context, b *Backup, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	size := &counter{}
	z, err := zstd.NewWriter(io.MultiWriter(f, sum, size), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	triggers, err := s.triggersOption(ctx, b.Database)
	if err != nil {
		return err
	}
	err = s.client(ctx, []string{"mariadb-dump", "mysqldump"}, nil, z, "--single-transaction", "--quick", "--skip-lock-tables", "--hex-blob",
		"--routines", "--events", triggers, "--no-tablespaces", "--default-character-set=utf8mb4", "--max-allowed-packet=1G", b.Database)
	if err := errors.Join(err, z.Close()); err != nil {
		return err
	}
	b.Bytes, b.SHA256 = size.n, hex.EncodeToString(sum.Sum(nil))
	return errors.Join(f.Sync(), f.Close())
}

// triggersOption tells mariadb-dump not to look for triggers when there are none,
// as in most wikis: it asks for each table, which is a third of the server's work
// for a small database.
func (s *Server) triggersOption(ctx context.Context, database string) (string, error) {
	var n int
	err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ?`, database).Scan(&n)
	if n == 0 {
		return "--skip-triggers", err
	}
	return "--triggers", err
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

func describedBy(file string) string { return strings.TrimSuffix(file, ".sql.zst") + ".json" }

func (b *Backup) describeInFile() error {
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
	dir, err := os.Open(filepath.Dir(b.File))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// OpenBackup reads the description of a dump.
func OpenBackup(file string) (*Backup, error) {
	data, err := os.ReadFile(describedBy(file))
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	b := &Backup{File: file}
	if err := json.Unmarshal(data, b); err != nil {
		return nil, fmt.Errorf("backup %s: %w", describedBy(file), err)
	}
	return b, nil
}

// RemoveBackup deletes a dump, its description, and what a Dump that was killed
// left of them.
func RemoveBackup(file string) error {
	var errs []error
	for _, path := range []string{file, describedBy(file)} {
		for _, name := range []string{path, path + ".half"} {
			if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// Verify reads the whole dump: its checksum, and that it came to its end.
func (b *Backup) Verify() error {
	f, err := os.Open(b.File)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	z, err := zstd.NewReader(io.TeeReader(f, sum), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return fmt.Errorf("backup %s: %w", b.File, err)
	}
	defer z.Close()
	last := &ending{}
	if _, err := io.Copy(last, z); err != nil {
		return fmt.Errorf("backup %s: %w", b.File, err)
	}
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("backup %s: %w", b.File, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != b.SHA256 {
		return fmt.Errorf("backup %s: its checksum is %s, but %s was written", b.File, got, b.SHA256)
	}
	if !strings.Contains(string(last.text), dumpEnd) {
		return fmt.Errorf("backup %s: it does not end as a dump does", b.File)
	}
	return nil
}

// ending keeps the end of what is written to it.
type ending struct{ text []byte }

func (e *ending) Write(p []byte) (int, error) {
	e.text = append(e.text, p[max(0, len(p)-200):]...)
	e.text = e.text[max(0, len(e.text)-200):]
	return len(p), nil
}

// Restore replaces a database by a dump: what it holds now is dropped, tables
// made since included. It touches no other database, and compares what is there
// afterwards with what was dumped. It can be run again after it was interrupted.
func (s *Server) Restore(ctx context.Context, b *Backup) error {
	if err := b.Verify(); err != nil {
		return err
	}
	if err := s.evict(ctx, b.Database); err != nil {
		return err
	}
	if err := s.remake(ctx, b); err != nil {
		return fmt.Errorf("restore %q: %w", b.Database, err)
	}
	f, err := os.Open(b.File)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer z.Close()
	if err := s.client(ctx, []string{"mariadb", "mysql"}, z, io.Discard, "--batch", "--default-character-set=utf8mb4", "--max-allowed-packet=1G", b.Database); err != nil {
		return fmt.Errorf("restore %q: %w", b.Database, err)
	}
	found, err := s.Contents(ctx, b.Database)
	if err != nil {
		return fmt.Errorf("restore %q: %w", b.Database, err)
	}
	return b.compare(found)
}

// remake drops and creates the database, without waiting for ever for whoever
// has a table of it locked.
func (s *Server) remake(ctx context.Context, b *Backup) error {
	return s.work(ctx, "", false, func(c *sql.Conn) error {
		for _, statement := range []string{
			"SET lock_wait_timeout = 60",
			"DROP DATABASE IF EXISTS " + Quote(b.Database),
			"CREATE DATABASE " + Quote(b.Database) + " CHARACTER SET " + b.Charset + " COLLATE " + b.Collation,
		} {
			if _, err := c.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
}

// evict ends every other connection that has a database as its default: what
// they do there has no future.
func (s *Server) evict(ctx context.Context, database string) error {
	rows, err := s.db.QueryContext(ctx, `SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND DB = ?`, database)
	if err != nil {
		return fmt.Errorf("server %s: list connections: %w", s.Name, err)
	}
	ids, err := scanAll[int64](rows)
	if err != nil {
		return err
	}
	return s.kill(ctx, ids)
}

func (b *Backup) compare(found map[string]Contents) error {
	for name, want := range b.Tables {
		if got, ok := found[name]; !ok || got != want {
			return fmt.Errorf("restore %q: table %s has %d rows and checksum %d, but %d and %d were dumped", b.Database, name, got.Rows, got.Checksum, want.Rows, want.Checksum)
		}
	}
	if len(found) != len(b.Tables) {
		return fmt.Errorf("restore %q: it has %d tables, but %d were dumped", b.Database, len(found), len(b.Tables))
	}
	return nil
}

// client runs a client program of MariaDB's, or of MySQL's where that is what
// is installed. How to connect is in a file that has no name.
func (s *Server) client(ctx context.Context, names []string, in io.Reader, out io.Writer, args ...string) error {
	name := names[0]
	if _, err := exec.LookPath(name); err != nil {
		if _, err := exec.LookPath(names[1]); err == nil {
			name = names[1]
		}
	}
	options, err := s.optionFile()
	if err != nil {
		return err
	}
	defer options.Close()
	cmd := exec.CommandContext(ctx, name, append([]string{"--defaults-file=/dev/fd/3"}, args...)...)
	said := &ending{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, said
	cmd.ExtraFiles = []*os.File{options}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := runHere(cmd); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s: %w: %s", name, err, strings.Join(strings.Fields(string(said.text)), " "))
	}
	return nil
}

// optionFile tells a client how to connect ("Configuring MariaDB with Option
// Files" in MariaDB's Knowledge Base).
func (s *Server) optionFile() (*os.File, error) {
	f, err := os.CreateTemp("", "wikictl-*.cnf")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	text := "[client]\nuser=\"" + quote.Replace(s.config.User) + "\"\npassword=\"" + quote.Replace(s.config.Passwd) + "\"\n"
	if s.config.Net == "unix" {
		text += "socket=\"" + quote.Replace(s.config.Addr) + "\"\n"
	} else {
		host, port, _ := strings.Cut(s.config.Addr, ":")
		text += "protocol=tcp\nhost=\"" + quote.Replace(host) + "\"\nport=" + port + "\n"
	}
	if _, err := f.WriteString(text); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}
