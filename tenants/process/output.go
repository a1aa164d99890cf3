package process

import (
	"io"
	"os"
	"slices"
	"strings"
	"sync"
)

// kept is the number of bytes of a program's output that are kept: errors are at its end.
const kept = 8 << 10

// Tail keeps the last 8 KiB that are written to it. It is safe for concurrent use.
type Tail struct {
	mu   sync.Mutex
	text []byte
}

// Write appends p and drops the oldest bytes.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[max(0, len(p)-kept):]...)
	if extra := len(t.text) - kept; extra > 0 {
		t.text = slices.Delete(t.text, 0, extra)
	}
	return len(p), nil
}

// String returns the kept text, trimmed.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return clean(t.text)
}

// End returns at most the last most bytes of a file, trimmed, or "" if it can't be read.
func End(path string, most int) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	return endOf(f, most)
}

func endOf(f *os.File, most int) string {
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	data := make([]byte, most)
	n, err := f.ReadAt(data, max(0, info.Size()-int64(most)))
	if err != nil && err != io.EOF {
		return ""
	}
	return clean(data[:n])
}

// clean removes a partial character at the begin, and blanks.
func clean(text []byte) string { return strings.TrimSpace(strings.ToValidUTF8(string(text), "")) }
