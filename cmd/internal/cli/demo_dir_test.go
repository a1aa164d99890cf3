package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/demo"
)

// A demo below a folder that only its owner may enter, such as one of mktemp -d, goes
// elsewhere, unless a person said where.
func TestDemoDir(t *testing.T) {
	shut := filepath.Dir(t.TempDir())
	if err := os.Chmod(shut, 0o700); err != nil {
		t.Fatal(err)
	}
	dirOf := func(args ...string) (dir, note string, err error) {
		var stderr bytes.Buffer
		flags := flag.NewFlagSet("demo", flag.ContinueOnError)
		flags.String("dir", filepath.Join(shut, "demo"), "")
		flags.Bool("stop", false, "")
		if err := flags.Parse(args); err != nil {
			t.Fatal(err)
		}
		dir, err = (&app{stderr: &stderr}).demoDir(cli.NewContext(cli.NewApp(), flags, nil))
		return dir, stderr.String(), err
	}
	given := filepath.Join(shut, "given")
	if dir, _, err := dirOf("--stop", "--dir", given); dir != given || err != nil {
		t.Error(dir, err)
	}
	if dir, _, err := dirOf("--dir", "/tmp/open"); dir != "/tmp/open" || err != nil {
		t.Error(dir, err)
	}
	dir, note, err := dirOf()
	_, _, refused := dirOf("--dir", given)
	if demo.Worker() == "" { // the servers run as this user
		if dir != filepath.Join(shut, "demo") || err != nil || refused != nil {
			t.Error(dir, err, refused)
		}
		return
	}
	if dir != demoElsewhere || !strings.Contains(note, shut) || err != nil {
		t.Error(dir, note, err)
	}
	if refused == nil || !strings.Contains(refused.Error(), "may not enter "+shut) {
		t.Error(refused)
	}
}
