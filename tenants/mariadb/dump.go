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

// Dump writes a database, and further ones of the same wiki, into new files of mode 0600
// with one description beside them, and verifies them: from one consistent snapshot, or
// by the operator's command if by has one. base is the path of the first without its
// ending. The caller prevents writes meanwhile, so that the description matches the dump.
// On failure no file remains.
func (s *Server) Dump(ctx context.Context, database, base string, by tenants.Backup, further ...string) (b *backup.Dump, err error) {
	ending, write := backup.OwnDump, s.dumpOwn
	if by.Dump != nil {
		ending = backup.OperatorDump
		write = func(ctx context.Context, b *backup.Dump) error { return s.dumpAllBy(ctx, by.Dump, b) }
	}
	now := time.Now().UTC()
	b = &backup.Dump{Database: database, Taken: now, File: base + ending, Restore: by.Restore}
	for _, name := range further {
		b.More = append(b.More, &backup.Dump{Database: name, Dumped: name, Taken: now, File: backup.FurtherBase(base, name) + ending, Restore: by.Restore})
	}
	for _, one := range b.All() {
		if err := s.describeDatabase(ctx, one); err != nil {
			return nil, fmt.Errorf("dump %q: %w", one.Database, err)
		}
	}
	if err := s.describeSize(ctx, b); err != nil {
		return nil, fmt.Errorf("dump %q: %w", database, err)
	}
	if err := os.MkdirAll(filepath.Dir(base), 0o700); err != nil {
		return nil, err
	}
	all := b.All()
	defer func() {
		for _, one := range all {
			os.Remove(halfOf(one))
		}
	}()
	if err := write(ctx, b); err != nil {
		return nil, fmt.Errorf("dump %q: %w", database, err)
	}
	if err := s.name(ctx, b); err != nil {
		return nil, errors.Join(err, backup.Remove(base))
	}
	return b, b.DescribeInFile()
}

// halfOf returns the path of a dump while it is incomplete.
func halfOf(b *backup.Dump) string { return b.File + ".half" }

// name renames complete dumps to their final paths, and verifies that they can be restored.
func (s *Server) name(ctx context.Context, b *backup.Dump) error {
	for _, one := range b.All() {
		if err := os.Rename(halfOf(one), one.File); err != nil {
			return err
		}
	}
	if err := b.Verify(); err != nil {
		return err
	}
	for _, one := range b.All() {
		if err := s.takes(ctx, one.Longest); err != nil {
			return fmt.Errorf("dump %q: %w", one.Database, err)
		}
	}
	return nil
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

// describeSize reads the sizes of databases on disk, if they can be seen from here.
func (s *Server) describeSize(ctx context.Context, b *backup.Dump) error {
	folder, err := s.dataFolder(ctx)
	if err != nil || folder == "" {
		return err
	}
	for _, one := range b.All() {
		if one.Stored, _, err = used(folder, one.Database); err != nil {
			return err
		}
	}
	return nil
}

// describe reads the contents of a database.
func (s *Server) describe(ctx context.Context, b *backup.Dump) (err error) {
	if err := describeAuthors(ctx, s.db, b); err != nil {
		return err
	}
	if b.Tables, err = s.Contents(ctx, b.Database); err != nil {
		return err
	}
	return s.describeObjects(ctx, b)
}

// describeObjects reads the objects of a database other than tables.
func (s *Server) describeObjects(ctx context.Context, b *backup.Dump) (err error) {
	b.Objects, b.Broken, err = s.usable(ctx, b.Database)
	return err
}

// dumpOwn dumps databases by dumpDirect if possible, otherwise by mariadb-dump.
func (s *Server) dumpOwn(ctx context.Context, b *backup.Dump) error {
	err := s.dumpDirect(ctx, b)
	if !errors.Is(err, errOdd) {
		return err
	}
	for _, one := range b.All() {
		one.Snapshot, one.Definitions = false, nil
		if err := s.describe(ctx, one); err != nil {
			return err
		}
		if err := s.dumpTo(ctx, one, halfOf(one)); err != nil {
			return err
		}
	}
	return nil
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
// statements that are small enough for the server to read back. Under LOCK TABLES the
// server refuses rows of a table with a default from a sequence (error 1100).
func (s *Server) dumpOptions(ctx context.Context, b *backup.Dump) ([]string, error) {
	packet, err := s.packet(ctx)
	if err != nil {
		return nil, err
	}
	options := []string{"--single-transaction", "--quick", "--skip-lock-tables", "--skip-add-locks", "--hex-blob", "--routines", "--events",
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

// dumpAllBy makes dumps by the operator's command.
func (s *Server) dumpAllBy(ctx context.Context, command []string, b *backup.Dump) error {
	for _, one := range b.All() {
		if err := s.dumpBy(ctx, command, one, halfOf(one)); err != nil {
			return err
		}
	}
	return nil
}

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
