package components

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// The bounds of a download.
const (
	maxArchive  = 1 << 30 // bytes
	stall       = time.Minute
	maxDownload = 30 * time.Minute
)

// unpackFrom fetches an archive into a file, checks its hash, and unpacks it into a folder.
func unpackFrom(ctx context.Context, s tenants.Source, file, dir string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if err := download(ctx, s.Archive, io.MultiWriter(f, h)); err != nil {
		return fmt.Errorf("fetch %s: %w", s.Archive, err)
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != s.SHA256 {
		return tenants.WithHint(fmt.Errorf("%s has another SHA-256, %s", s.Archive, sum), "when that is what its makers publish, set sha256 to it")
	}
	if err := unpack(ctx, f, dir); err != nil {
		return fmt.Errorf("unpack %s: %w", s.Archive, err)
	}
	if err := liftOnly(dir); err != nil {
		return err
	}
	return readable(dir)
}

// download copies a file, or the answer of a web server.
func download(ctx context.Context, address string, to io.Writer) error {
	if !strings.Contains(address, "://") {
		f, err := disk.Open(address)
		if err != nil {
			return fmt.Errorf("%s", disk.Reason(err))
		}
		defer f.Close()
		return bounded(to, f)
	}
	ctx, cancel := context.WithTimeout(ctx, maxDownload)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: stall}).DialContext,
		TLSHandshakeTimeout: stall, ResponseHeaderTimeout: stall, DisableCompression: true, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", response.Status)
	}
	idle := time.AfterFunc(stall, cancel)
	defer idle.Stop()
	return bounded(to, &awake{response.Body, idle})
}

// awake puts off the end of a download with everything that arrives.
type awake struct {
	io.Reader
	idle *time.Timer
}

func (a *awake) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	a.idle.Reset(stall)
	return n, err
}

func bounded(to io.Writer, from io.Reader) error {
	n, err := io.Copy(to, io.LimitReader(from, maxArchive+1))
	if err == nil && n > maxArchive {
		err = fmt.Errorf("it is larger than %d MiB", maxArchive>>20)
	}
	return err
}

// unpack unpacks a zip file or a tar file, which may be compressed by gzip or zstd, as its
// first bytes say.
func unpack(ctx context.Context, f *os.File, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	u := &unpacking{root: root, left: maxBytes}
	head := make([]byte, 4)
	if _, err := f.ReadAt(head, 0); err != nil {
		return fmt.Errorf("it is too short for an archive")
	}
	if bytes.Equal(head, []byte("PK\x03\x04")) {
		size, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		z, err := zip.NewReader(f, size)
		if err != nil {
			return err
		}
		return u.zip(ctx, z)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var plain io.Reader = bufio.NewReader(f)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		if plain, err = gzip.NewReader(plain); err != nil {
			return err
		}
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		d, err := zstd.NewReader(plain, zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return err
		}
		defer d.Close()
		plain = d
	}
	return u.tar(ctx, tar.NewReader(plain))
}

// liftOnly takes the files out of an archive's only folder.
func liftOnly(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || !entries[0].IsDir() {
		return err
	}
	inner := filepath.Join(dir, entries[0].Name())
	aside := dir + ".only"
	if err := os.Rename(inner, aside); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil {
		return err
	}
	return os.Rename(aside, dir)
}
