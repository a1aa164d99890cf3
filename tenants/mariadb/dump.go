package mariadb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"wikictl/tenants"
	"wikictl/tenants/backup"
)

// Dump writes a database into a new file of mode 0600 with a description beside it, and
// verifies it: from one consistent snapshot, or by the operator's command if by has one.
// base is the file's path without its ending. The caller prevents writes meanwhile, so
// that the description matches the dump. On failure no file remains.
func (s *Server) Dump(ctx context.Context, database, base string, by tenants.Backup) (b *backup.Dump, err error) {
	b = &backup.Dump{Database: database, Taken: time.Now().UTC(), File: base + backup.OwnDump, Restore: by.Restore}
	write := s.dumpOwn
	if by.Dump != nil {
		b.File = base + backup.OperatorDump
		write = func(ctx context.Context, b *backup.Dump, path string) error { return s.dumpBy(ctx, by.Dump, b, path) }
	}
	file := b.File
	if err := s.describeDatabase(ctx, b); err != nil {
		return nil, fmt.Errorf("dump %q: %w", database, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	half := file + ".half"
	defer os.Remove(half)
	if err := write(ctx, b, half); err != nil {
		return nil, fmt.Errorf("dump %q: %w", database, err)
	}
	if err := os.Rename(half, file); err != nil {
		return nil, err
	}
	if err := b.Verify(); err != nil {
		return nil, errors.Join(err, os.Remove(file))
	}
	if err := s.takes(ctx, b.Longest); err != nil {
		return nil, errors.Join(fmt.Errorf("dump %q: %w", database, err), os.Remove(file))
	}
	return b, b.DescribeInFile()
}

// describeDatabase reads the character set and collation of a database.
func (s *Server) describeDatabase(ctx context.Context, b *backup.Dump) error {
	err := s.db.QueryRowContext(ctx, `SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?`, b.Database).
		Scan(&b.Charset, &b.Collation)
	if errors.Is(err, sql.ErrNoRows) {
		return errors.New("the database does not exist")
	}
	return err
}

// describe reads the contents of a database.
func (s *Server) describe(ctx context.Context, b *backup.Dump) (err error) {
	if b.Tables, err = s.Contents(ctx, b.Database); err != nil {
		return err
	}
	return s.describeObjects(ctx, b)
}

// describeObjects reads the objects of a database other than tables.
func (s *Server) describeObjects(ctx context.Context, b *backup.Dump) (err error) {
	if b.Objects, err = s.objects(ctx, b.Database); err != nil {
		return err
	}
	b.Broken, err = s.brokenViews(ctx, b.Database, b.Objects)
	for name := range b.Broken {
		delete(b.Objects, "view "+name)
	}
	return err
}

// dumpOwn dumps a database by dumpDirect if possible, otherwise by mariadb-dump.
func (s *Server) dumpOwn(ctx context.Context, b *backup.Dump, path string) error {
	err := s.dumpDirect(ctx, b, path)
	if !errors.Is(err, errOdd) {
		return err
	}
	b.Definitions = nil
	if err := s.describe(ctx, b); err != nil {
		return err
	}
	return s.dumpTo(ctx, b, path)
}

// dumpTo dumps a database into a file by mariadb-dump.
func (s *Server) dumpTo(ctx context.Context, b *backup.Dump, path string) error {
	options, err := s.dumpOptions(ctx, b)
	if err != nil {
		return err
	}
	return s.compress(b, path, func(w io.Writer) error {
		return s.client(ctx, []string{"mariadb-dump", "mysqldump"}, nil, w, append(options, "--where=1 "+tagComment(b.Database), b.Database)...)
	})
}

// compress writes the output of write into a zstd file, and records its size and
// checksum.
func (s *Server) compress(b *backup.Dump, path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	size := &counter{}
	z, err := s.encoder(io.MultiWriter(f, sum, size))
	if err != nil {
		return err
	}
	defer s.encoders.Put(z)
	if err := errors.Join(write(z), z.Close()); err != nil {
		return err
	}
	b.Bytes, b.SHA256 = size.n, hex.EncodeToString(sum.Sum(nil))
	return errors.Join(f.Sync(), f.Close())
}

// DumpSize estimates the size of a database's dump in bytes: half of its rows. Text that
// MediaWiki has compressed hardly shrinks, and the rest does.
func (s *Server) DumpSize(ctx context.Context, database string) (size int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT COALESCE(SUM(DATA_LENGTH), 0) DIV 2 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?", database).Scan(&size)
	if err != nil {
		return 0, fmt.Errorf("server %s: size of %q: %w", s.Name, database, err)
	}
	return size, nil
}

// encoder returns a zstd encoder, reused from an earlier dump if possible.
func (s *Server) encoder(w io.Writer) (*zstd.Encoder, error) {
	if z, ok := s.encoders.Get().(*zstd.Encoder); ok {
		z.Reset(w)
		return z, nil
	}
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
}

// dumpOptions returns the options of mariadb-dump for a database. --skip-triggers, where
// there are none, saves a query per table, which is a third of the server's work for a
// small database. A view that can't be used would end the dump. Rows are joined into
// statements that are small enough for the server to read back.
func (s *Server) dumpOptions(ctx context.Context, b *backup.Dump) ([]string, error) {
	packet, err := s.packet(ctx)
	if err != nil {
		return nil, err
	}
	options := []string{"--single-transaction", "--quick", "--skip-lock-tables", "--hex-blob", "--routines", "--events",
		"--no-tablespaces", "--default-character-set=utf8mb4", "--max-allowed-packet=1G",
		fmt.Sprintf("--net-buffer-length=%d", min(max(packet/2, 4096), joined))}
	trigger := func(object string) bool { return strings.HasPrefix(object, "trigger ") }
	if slices.ContainsFunc(slices.Collect(maps.Keys(b.Objects)), trigger) {
		options = append(options, "--triggers")
	} else {
		options = append(options, "--skip-triggers")
	}
	for name := range b.Broken {
		options = append(options, "--ignore-table="+b.Database+"."+name)
	}
	versioned, err := s.versioned(ctx, b.Database)
	if len(versioned) > 0 {
		options = append(options, "--dump-history")
	}
	return options, err
}

// joined is the maximum number of bytes of rows that mariadb-dump joins into a statement.
const joined = 1046528

// dumpBy makes a dump by the operator's command.
func (s *Server) dumpBy(ctx context.Context, command []string, b *backup.Dump, path string) error {
	if err := s.describe(ctx, b); err != nil {
		return err
	}
	if err := s.operators(ctx, command, b.Database, path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s wrote no file: %w", command[0], err)
	}
	defer f.Close()
	sum := sha256.New()
	if b.Bytes, err = io.Copy(sum, f); err != nil {
		return err
	}
	if b.Bytes == 0 {
		return fmt.Errorf("%s wrote an empty file", command[0])
	}
	b.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return errors.Join(f.Chmod(0o600), f.Sync())
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
