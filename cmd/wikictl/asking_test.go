package main

import (
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// asking is a wikictl that asks.
type asking struct {
	f    *farm
	cmd  *exec.Cmd
	in   io.WriteCloser
	lock sync.Mutex
	out  []byte
}

func (q *asking) Write(p []byte) (int, error) {
	q.lock.Lock()
	defer q.lock.Unlock()
	q.out = append(q.out, p...)
	return len(p), nil
}

func (q *asking) text() string {
	q.lock.Lock()
	defer q.lock.Unlock()
	return string(q.out)
}

func (f *farm) asks(args ...string) *asking {
	f.t.Helper()
	q := &asking{f: f, cmd: f.command(args...)}
	q.cmd.Stdout, q.cmd.Stderr = q, q
	var err error
	q.in, err = q.cmd.StdinPipe()
	must(f.t, err)
	must(f.t, q.cmd.Start())
	return q
}

// wait waits for words.
func (q *asking) wait(words string) {
	q.f.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !strings.Contains(q.text(), words); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			q.f.t.Fatalf("%q never came: %s", words, q.text())
		}
	}
}

func (q *asking) answer(word string) {
	_, err := io.WriteString(q.in, word+"\n")
	must(q.f.t, err)
}

func (q *asking) end() int {
	q.in.Close()
	q.cmd.Wait()
	return q.cmd.ProcessState.ExitCode()
}
