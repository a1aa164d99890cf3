package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// policy is Debian's switch for the services of packages, policy-rc.d(8) of invoke-rc.d.
const policy = "/usr/sbin/policy-rc.d"

// ownPolicy forbids all services. Its second line distinguishes it from an
// administrator's.
const ownPolicy = `#!/bin/sh
# wikictl: no service starts while wikictl installs packages; it removes this file afterwards
exit 101
`

// forbidServices prevents packages from starting services until undo is called, by the
// file at path. It leaves an administrator's file, and that of another running wikictl;
// it takes over that of a killed wikictl.
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
	lock := flock.New(whole.Name()) // released when this process ends
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

// allowServices removes the file of a killed wikictl at path. Only root can.
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
		return err // another wikictl is installing
	}
	return errors.Join(os.Remove(path), lock.Unlock())
}
