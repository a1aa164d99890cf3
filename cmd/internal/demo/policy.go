package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// policy is Debian's switch for services that packages start, policy-rc.d(8) of
// invoke-rc.d.
const policy = "/usr/sbin/policy-rc.d"

// ownPolicy forbids all of them. Its second line tells it from an administrator's.
const ownPolicy = `#!/bin/sh
# wikictl: no service starts while wikictl installs packages; it removes this file afterwards
exit 101
`

// forbidServices keeps packages from starting services until undo is called, by the
// file at path. One that an administrator put there, or another wikictl that still
// installs, is left as it is; one that a killed wikictl left is taken over.
func forbidServices(path string) (undo func(), err error) {
	if err := allowServices(path); err != nil {
		return nil, err
	}
	whole, err := os.CreateTemp(filepath.Dir(path), ".wikictl-*")
	if err != nil {
		return nil, fmt.Errorf("keep packages from starting services: %w", err)
	}
	defer os.Remove(whole.Name())
	defer whole.Close()
	lock := flock.New(whole.Name()) // it ends with this process, however that ends
	_, err = whole.WriteString(ownPolicy)
	if err := errors.Join(err, whole.Chmod(0o755), lock.Lock()); err != nil {
		return nil, fmt.Errorf("keep packages from starting services: %w", err)
	}
	err = os.Link(whole.Name(), path)
	if err != nil {
		lock.Unlock()
	}
	if errors.Is(err, fs.ErrExist) {
		return func() {}, nil
	}
	return func() {
		_ = os.Remove(path)
		_ = lock.Unlock()
	}, err
}

// allowServices removes what a wikictl that was killed left at path. Only root can.
func allowServices(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && string(text) != ownPolicy) || os.Geteuid() != 0 {
		return nil
	}
	if err != nil {
		return err
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryLock()
	if err != nil || !free {
		return err // another wikictl installs
	}
	return errors.Join(os.Remove(path), lock.Unlock())
}
