package definitions

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// secretsFolder is the folder of the farm with the values of { secret = "…" }, one file for
// each.
const secretsFolder = "secrets"

// maxSecret is the maximum size of a secret's file, in bytes.
const maxSecret = 64 << 10

var secretName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// hidden returns the value of { secret = "smtp" }. It reads the file at first use, so
// that a user who may read the farm but not this file can run commands that only read.
func (l *loader) hidden(s *section, key, name string, at tenants.Position) any {
	if !secretName.MatchString(name) {
		s.report(at, key+".secret", `such as "smtp", of secrets/smtp`, "is not a name of a file in the folder %s", secretsFolder)
		return ""
	}
	if read := l.printed[name]; read != nil {
		return &tenants.Hidden{Name: name, Read: read}
	}
	path := filepath.Join(l.farm.Dir, secretsFolder, name)
	return &tenants.Hidden{Name: name, Read: sync.OnceValues(func() (string, error) { return readSecret(path) })}
}

// readSecret reads a file that only its owner may read, without the newline at its end.
func readSecret(path string) (string, error) {
	at := func(why string) error { return fmt.Errorf("%s: %s", path, why) }
	f, err := disk.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", at("the file does not exist; write the value into it, with mode 0600")
	}
	if err != nil {
		return "", at(disk.Reason(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", at(disk.Reason(err))
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", at(fmt.Sprintf("users other than its owner may read or write it (mode %#o); chmod 600 %[2]s", info.Mode().Perm(), path))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	value := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case err != nil:
		return "", at(disk.Reason(err))
	case len(data) > maxSecret:
		return "", at("is larger than 64 KiB")
	case value == "":
		return "", at("is empty")
	case !utf8.ValidString(value):
		return "", at("is not UTF-8")
	}
	return value, nil
}
