package restic

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/process"
)

// Of a snapshot's tags all properties come back, and snapshots of others are left out.
func TestTags(t *testing.T) {
	want := Snapshot{ID: strings.Repeat("a", 64), Taken: time.Unix(1e9, 0).UTC(), Farm: "f", Wiki: "w", Run: "20260101-000000-abcdef", Version: "1.43.0", Bytes: 1, Uploads: 2, UploadBytes: 3}
	quoted := `"` + strings.ReplaceAll(want.tags(), ",", `","`) + `"`
	got, err := decode([]byte(`[{"id":"` + want.ID + `","time":"2001-09-09T01:46:40Z","tags":[` + quoted + `]},
		{"id":"b","time":"2001-09-09T01:46:40Z","tags":["other","wiki=w","run=x"]},
		{"id":"` + want.ID + `","time":"2001-09-09T01:46:40Z","tags":["wikictl"]}, {"id":"c","time":"2001-09-09T01:46:40Z"}]`))
	if err != nil || !slices.Equal(got, []Snapshot{want}) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if _, err := decode([]byte("x")); err == nil {
		t.Error("what is no JSON is a list")
	}
}

// Each failure of restic, by old and new versions, is reported with the next step.
func TestExplain(t *testing.T) {
	r := &Repository{Location: "/r"}
	for name, c := range map[string]struct {
		exit   int
		output string
		cause  error
		want   string
	}{
		"locked, 0.14":      {1, "Fatal: unable to create lock in backend: repository is already locked exclusively by PID 7", errLocked, "restic unlock"},
		"locked, 0.17":      {11, `{"message_type":"exit_error","code":11,"message":"Fatal: locked by PID 7"}`, errLocked, "Fatal: locked by PID 7 (wait for"},
		"no repository":     {1, "Fatal: unable to open config file: stat /r/config: no such file or directory\nIs there a repository at the following location?\n/r", nil, "make it by restic init"},
		"wrong password":    {12, "x", nil, "password_file"},
		"no password":       {1, "Fatal: an empty password is not a password", nil, "the password can't be read"},
		"incomplete":        {3, `{"message_type":"error","error":{"message":"open /x: permission denied"},"during":"archival","item":"/x"}`, errIncomplete, "/x open /x: permission denied"},
		"something unknown": {1, "Fatal: dial tcp: timeout", nil, "repository /r: Fatal: dial tcp: timeout (wikictl doctor"},
	} {
		err := r.explain(c.exit, &process.Error{Name: "restic", Output: c.output, Err: errors.New("exit status")})
		if c.cause != nil && !errors.Is(err, c.cause) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s", name, err)
		}
	}
	if err := r.explain(-1, &process.Error{Name: "restic", Err: exec.ErrNotFound}); !strings.Contains(err.Error(), "apt-get install restic") {
		t.Error(err)
	}
}

// The password comes from the file of the definition, or else from the environment.
func TestEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		inherited []string
		file      string
		want      []string
	}{
		"none":             {[]string{"HOME=/root", "RESTIC_PASSWORD="}, "", nil},
		"file in the way":  {[]string{"HOME=/root", "RESTIC_PASSWORD_COMMAND=x", "RESTIC_PASSWORD=y"}, "/p", []string{"HOME=/root", "RESTIC_PASSWORD_FILE=/p"}},
		"environment":      {[]string{"RESTIC_PASSWORD_FILE=/q", "AWS_ACCESS_KEY_ID=k"}, "", []string{"RESTIC_PASSWORD_FILE=/q", "AWS_ACCESS_KEY_ID=k"}},
		"other repository": {[]string{"RESTIC_REPOSITORY_FILE=/x", "RESTIC_PASSWORD=y"}, "", []string{"RESTIC_PASSWORD=y"}},
	} {
		got, err := environment(c.inherited, c.file)
		if !slices.Equal(got, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestVersion(t *testing.T) {
	for output, want := range map[string]string{
		"restic 0.14.0 compiled with go1.19.8 on linux/amd64":          "0.14.0 false",
		"restic 0.18.1-dev (compiled manually) compiled with go1.24.4": "0.18.1-dev false",
		"restic 1.0 x":                   "1.0 false",
		"restic 0.9.4 compiled with go1": "0.9.4 true",
	} {
		text, older, err := parseVersion(output)
		if got := text + " " + map[bool]string{true: "true", false: "false"}[older]; got != want || err != nil {
			t.Errorf("%s: %s, %v", output, got, err)
		}
	}
	if _, _, err := parseVersion("bash: restic"); err == nil {
		t.Error("what is no version is one")
	}
}

// A snapshot is restored as it was, and an unusable repository is reported.
func TestRepository(t *testing.T) {
	program := needs.Program(t, Program)
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	must(t, os.WriteFile(password, []byte("x"), 0o600))
	r, err := Open(tenants.Backup{Restic: filepath.Join(dir, "re po"), PasswordFile: password}, filepath.Join(dir, "cache"))
	must(t, err)
	if err := r.Reach(t.Context()); err == nil || !strings.Contains(err.Error(), "restic init") {
		t.Error(err)
	}
	init := exec.Command(program, "init", "-q")
	init.Env = r.env
	must(t, init.Run())
	must(t, os.MkdirAll(filepath.Join(dir, "state/half"), 0o755))
	must(t, os.MkdirAll(filepath.Join(dir, "state/images/a b"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "state/half/--member"), []byte("m"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "state/images/a b/x"), []byte("u"), 0o644))
	want := Snapshot{Taken: time.Unix(1.7e9, 0).UTC(), Farm: "f", Wiki: "w", Run: "20260101-000000-abcdef", Version: "1.43.0"}
	made, err := r.Backup(t.Context(), filepath.Join(dir, "state/half"), []string{".", "../images"}, want)
	must(t, err)
	found, err := r.Snapshots(t.Context(), Tag("wiki", "w"), Tag("farm", "f"))
	must(t, err)
	if len(found) != 1 || len(made) != 1 || !strings.HasPrefix(found[0].ID, made[0]) {
		t.Fatal(found, made)
	}
	want.ID = found[0].ID
	if found[0] != want {
		t.Errorf("%+v, want %+v", found[0], want)
	}
	must(t, r.Restore(t.Context(), want.ID, filepath.Join(dir, "back")))
	for path, text := range map[string]string{"--member": "m", "images/a b/x": "u"} {
		got, err := os.ReadFile(filepath.Join(dir, "back", path))
		if err != nil || string(got) != text {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if others, err := r.Snapshots(t.Context(), Tag("farm", "other")); err != nil || len(others) > 0 {
		t.Error(others, err)
	}
	must(t, r.Forget(t.Context(), made))
	must(t, os.WriteFile(password, []byte("y"), 0o600))
	if err := r.Reach(t.Context()); err == nil || !strings.Contains(err.Error(), "the password is wrong") {
		t.Error(err)
	}
	must(t, os.Chmod(password, 0o644))
	if _, err := Open(tenants.Backup{Restic: "/r", PasswordFile: password}, ""); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
