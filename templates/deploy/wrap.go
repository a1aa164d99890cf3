package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// wrapper is the template of an entry point for a codebase so old that it takes the path of
// its settings from a constant. It silences the warnings that newer PHP gives of such code on
// every request.
const wrapper = `<?php
# Written by wikictl: changes made here are lost.
error_reporting( error_reporting() & ~E_DEPRECATED );
if ( getenv( 'MW_CONFIG_FILE' ) ) {
	define( 'MW_CONFIG_FILE', getenv( 'MW_CONFIG_FILE' ) );
}
require %s;
`

// EnsureCore makes the folder that releases on a codebase link to, unless that is its
// tree.
func (d *Deployer) EnsureCore(c *tenants.Codebase) error {
	if !c.Wrapped {
		return nil
	}
	return wrap(d.layout.Core(c), c.Path)
}

// wrap makes the folder core, with entry points of its own and links to everything else
// of a tree. An existing wrapper of the tree stays.
func wrap(core, tree string) error {
	if wraps(core, tree) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(core), 0o755); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Dir(core), 0o755); err != nil { // regardless of the umask
		return err
	}
	entries, err := os.ReadDir(tree)
	if err != nil {
		return err
	}
	made, err := os.MkdirTemp(filepath.Dir(core), ".wrapped-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(made)
	for _, e := range entries {
		from, to := filepath.Join(tree, e.Name()), filepath.Join(made, e.Name())
		name, isPHP := strings.CutSuffix(e.Name(), ".php")
		if isPHP && slices.Contains(mediawiki.Entries, name) {
			err = create(to, wrapped(from), 0o644, -1)
		} else {
			err = os.Symlink(from, to)
		}
		if err != nil {
			return err
		}
	}
	if err := os.Chmod(made, 0o755); err != nil {
		return err
	}
	if err := os.Rename(core, made+".old"); err == nil {
		defer os.RemoveAll(made + ".old")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(made, core); err != nil && !wraps(core, tree) { // a concurrent call made the same
		return fmt.Errorf("wrap the entry points of %s: %w", tree, err)
	}
	return nil
}

// wraps reports whether a folder has the entry points of a tree.
func wraps(core, tree string) bool {
	text, err := os.ReadFile(filepath.Join(core, "index.php"))
	return err == nil && string(text) == string(wrapped(filepath.Join(tree, "index.php")))
}

func wrapped(entry string) []byte {
	return fmt.Appendf(nil, wrapper, "'"+strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(entry)+"'")
}
