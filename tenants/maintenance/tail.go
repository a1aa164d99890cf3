package maintenance

import (
	"bytes"
	"io"
	"os"
	"time"
)

// tailEvery is the interval at which new output of a script is passed on.
const tailEvery = 100 * time.Millisecond

// tailLog calls printed with whole lines of a log as they are written. stop passes on the rest
// before it returns.
func tailLog(path string, printed func(text string)) (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		l := &liner{printed: printed}
		tick := time.NewTicker(tailEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				io.Copy(l, f)
			case <-over:
				io.Copy(l, f)
				l.end()
				return
			}
		}
	}()
	return func() {
		close(over)
		<-done
	}
}

// longLine bounds the kept part of an unfinished line, in bytes.
const longLine = 64 << 10

// liner splits what is written to it into lines. Scripts that show progress end lines
// with a carriage return.
type liner struct {
	printed func(text string)
	rest    []byte
}

// Write passes on complete lines.
func (l *liner) Write(p []byte) (int, error) {
	l.rest = append(l.rest, bytes.ReplaceAll(p, []byte("\r"), []byte("\n"))...)
	at := bytes.LastIndexByte(l.rest, '\n')
	if at < 0 && len(l.rest) > longLine {
		l.rest = append(l.rest, '\n')
		at = len(l.rest) - 1
	}
	if at >= 0 {
		l.printed(string(l.rest[:at+1]))
		l.rest = append(l.rest[:0], l.rest[at+1:]...)
	}
	return len(p), nil
}

// end passes on an unfinished last line.
func (l *liner) end() {
	if len(l.rest) > 0 {
		l.printed(lines(string(l.rest)))
	}
}
