package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// backing measures how long it takes to back up n wikis that have rows and uploads, beside
// dumps of their databases alone, with the same compression.
type backing struct{ *upgrading }

// The content that is added to each new wiki.
const (
	backedRows    = 4000 // of 2 KB each
	backedUploads = 20
	backedBytes   = 256 << 10 // of an upload
)

func (b *backing) run(ctx context.Context) error { return b.onWikis(ctx, b.fill, b.compare) }

func (b *backing) compare(ctx context.Context) error {
	own := way{"wikictl backup", b.wikictlOn(b.demo.Dir, "backup", "--all")}
	begun := time.Now()
	if err := succeed(own.name, program(ctx, own.command)); err != nil {
		return err
	}
	fmt.Printf("the first backup, which stores %d uploads of %d KB a wiki: %.2f s\n", backedUploads, backedBytes>>10, time.Since(begun).Seconds())
	return b.table(ctx, "databases backed up, uploads as they were", append([]way{own}, b.xargs("mariadb-dump", strictShell, b.dump())...))
}

// dump returns the line that dumps a wiki's database by mariadb-dump, compressed by zstd as in
// wikictl's archives, and durable.
func (b *backing) dump() string {
	return fmt.Sprintf("mariadb-dump --no-defaults --socket=%s --single-transaction wiki_w{} | zstd -q -1 -f -o %s/w{}.sql.zst && sync %[2]s/w{}.sql.zst", b.server.Socket, b.dir)
}

// fill gives each wiki rows and uploads.
func (b *backing) fill(ctx context.Context) error {
	r := rand.NewChaCha8([32]byte{})
	content := make([]byte, backedBytes)
	for i := range b.n {
		rows := fmt.Sprintf("INSERT INTO text (old_text, old_flags) SELECT CONCAT(SHA2(seq, 512), REPEAT(MD5(seq), 20), REPEAT('Some words of a page. ', 60)), 'utf-8' FROM seq_1_to_%d", backedRows)
		if _, err := sql(ctx, b.server, "wiki_"+wikiName(i), rows); err != nil {
			return err
		}
		for n := range backedUploads {
			_, _ = r.Read(content)
			file := filepath.Join(b.demo.Dir, "state/wikis", wikiName(i), fmt.Sprintf("images/%d.bin", n))
			if err := os.WriteFile(file, content, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
