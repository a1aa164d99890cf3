package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
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

func (b *backing) run(ctx context.Context) error {
	if err := b.build(ctx); err != nil {
		return err
	}
	defer b.stop(context.WithoutCancel(ctx)) // also what runs when prepare fails
	if err := b.prepare(ctx, b.fill); err != nil {
		return err
	}
	own := way{"wikictl backup", []string{b.wikictl, "--farm", b.demo.Dir, "backup", "--all"}}
	begun := time.Now()
	if out, err := exec.CommandContext(ctx, own.command[0], own.command[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("wikictl backup: %w: %s", err, tail(out))
	}
	fmt.Printf("the first backup, which stores %d uploads of %d KB a wiki: %.2f s\n", backedUploads, backedBytes>>10, time.Since(begun).Seconds())
	ways := []way{own}
	for _, p := range parallel {
		ways = append(ways, b.dumps(p))
	}
	return b.table(ctx, "databases backed up, uploads as they were", ways)
}

// dumps dumps every wiki's database by mariadb-dump, p at once, compressed by zstd as in
// wikictl's archives, and durable.
func (b *backing) dumps(p int) way {
	dump := fmt.Sprintf("mariadb-dump --no-defaults --socket=%s --single-transaction wiki_w{} | zstd -q -1 -f -o %s/w{}.sql.zst && sync %[2]s/w{}.sql.zst", b.server.Socket, b.dir)
	return way{fmt.Sprint("mariadb-dump", byXargs, p), []string{"bash", "-euo", "pipefail", "-c", fmt.Sprintf("seq 0 %d | xargs -P%d -I{} bash -euo pipefail -c '%s'", b.n-1, p, dump)}}
}

// fill gives each wiki rows and uploads.
func (b *backing) fill(ctx context.Context) error {
	r := rand.NewChaCha8([32]byte{})
	content := make([]byte, backedBytes)
	for i := range b.n {
		sql := fmt.Sprintf("INSERT INTO text (old_text, old_flags) SELECT CONCAT(SHA2(seq, 512), REPEAT(MD5(seq), 20), REPEAT('Some words of a page. ', 60)), 'utf-8' FROM seq_1_to_%d", backedRows)
		if out, err := exec.CommandContext(ctx, "mariadb", "--no-defaults", "--socket="+b.server.Socket, "-e", sql, fmt.Sprintf("wiki_w%d", i)).CombinedOutput(); err != nil {
			return fmt.Errorf("fill wiki_w%d: %w: %s", i, err, out)
		}
		for n := range backedUploads {
			_, _ = r.Read(content)
			file := filepath.Join(b.demo.Dir, fmt.Sprintf("state/wikis/w%d/images/%d.bin", i, n))
			if err := os.WriteFile(file, content, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
