package disk

import (
	"errors"
	"io/fs"
	"os"
)

// BrokenLink says where a link leads to that could not be opened for want of a file.
func BrokenLink(path string, err error) (target string, broken bool) {
	if !errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	target, err = os.Readlink(path)
	return target, err == nil
}

// Reason is what an *os.PathError says without repeating the path.
func Reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
