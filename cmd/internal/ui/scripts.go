package ui

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"wikictl/tenants/process"
)

// Prefixed prefixes each line of text with a tenant's name.
func Prefixed(tenant, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		fmt.Fprintf(&b, "%s: %s", tenant, Clean(line))
	}
	return b.String()
}

// Print writes whole lines to standard output, above the bars if both are on a terminal.
func (b *Board) Print(out io.Writer, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprint(b.above(out), text)
}

// PrintLog prints a tenant's log with its name above.
func (b *Board) PrintLog(out io.Writer, tenant, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	out = b.above(out)
	fmt.Fprintf(out, "==> %s <==\n", tenant)
	for lines := bufio.NewReaderSize(f, 64<<10); ; {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			text := Clean(strings.TrimRight(string(line), "\r\n"))
			if !errors.Is(err, bufio.ErrBufferFull) {
				text += "\n"
			}
			fmt.Fprint(out, text)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil
		}
	}
}

// above returns a writer for lines that must not overwrite the bars.
func (b *Board) above(out io.Writer) io.Writer {
	f, is := out.(*os.File)
	if b.bar != nil && is && isatty.IsTerminal(f.Fd()) {
		return b.bars
	}
	return out
}

// OutputOf returns the end of a log, at most so many bytes, for a document.
func OutputOf(path string, most int) *string {
	text := process.End(path, most)
	return &text
}
