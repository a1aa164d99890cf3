package mariadb

import (
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// A server that root starts runs as the user mysql only where that user can write its
// files, as the folders are root's own at first.
func TestRunAs(t *testing.T) {
	if os.Geteuid() != 0 {
		if as := (Private{}).runAs(); as != nil {
			t.Errorf("another user's server runs as %v", as)
		}
		return
	}
	p := Private{Folder: t.TempDir(), Socket: filepath.Join(t.TempDir(), "s.sock")}
	if as := p.runAs(); !slices.Equal(as, []string{"--user=root"}) {
		t.Errorf("in root's folders it runs as %v", as)
	}
	u, err := user.Lookup("mysql")
	if err != nil {
		return // it always is root, then
	}
	uid, err := strconv.Atoi(u.Uid)
	must(t, err)
	must(t, os.Chown(p.Folder, uid, -1))
	if as := p.runAs(); !slices.Equal(as, []string{"--user=root"}) {
		t.Errorf("with its socket in root's folder it runs as %v", as)
	}
	must(t, os.Chown(filepath.Dir(p.Socket), uid, -1))
	if as := p.runAs(); !slices.Equal(as, []string{"--user=mysql"}) {
		t.Errorf("in its own folders it runs as %v", as)
	}
}
