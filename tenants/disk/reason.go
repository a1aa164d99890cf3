package disk

import (
	"errors"
	"io/fs"
	"os"
)

// BrokenLink returns the target of a dangling link whose opening failed with err.
func BrokenLink(path string, err error) (target string, broken bool) {
	if !errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	target, err = os.Readlink(path)
	return target, err == nil
}

// Reason returns the reason of an *os.PathError without its path.
func Reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
