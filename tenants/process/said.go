package process

import (
	"io"
	"os"
	"slices"
	"strings"
	"sync"
)

// kept is how many bytes of a program's output are kept: the end says what failed.
const kept = 8 << 10

// Tail keeps the end, at most 8 KiB, of what is written to it. Many goroutines may
// write.
type Tail struct {
	mu   sync.Mutex
	text []byte
}

// Write forgets what came long before.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[max(0, len(p)-kept):]...)
	if extra := len(t.text) - kept; extra > 0 {
		t.text = slices.Delete(t.text, 0, extra)
	}
	return len(p), nil
}

// String is what was kept, without blanks around it.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return clean(t.text)
}

// End is the end of a file, at most so many bytes, without blanks around it; empty
// when it can't be read.
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

// clean cuts off what the limit left of a character, and blanks.
func clean(text []byte) string { return strings.TrimSpace(strings.ToValidUTF8(string(text), "")) }

// OneLine puts a program's output on one line, for an error.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
