package fpm

import (
	"bytes"
	"testing"
)

// Whatever php-fpm answers is read without a panic, and no more than came.
func FuzzFCGIAnswer(f *testing.F) {
	f.Add([]byte{1, fcgiStdout, 0, 1, 0, 4, 2, 0, '\r', '\n', 'a', 'b', 0, 0, 1, fcgiEnd, 0, 1, 0, 0, 0, 0})
	f.Add([]byte{1, fcgiStderr, 0, 1, 0, 1, 0, 0, 'x'})
	f.Fuzz(func(t *testing.T, data []byte) {
		out, logged, err := fcgiAnswer(bytes.NewReader(data))
		if len(out)+len(logged) > len(data) {
			t.Errorf("more came out than was read: %q %q", out, logged)
		}
		if err == nil {
			_, _ = cgiBody(out, logged)
		}
	})
}
