// Package restic keeps backups as snapshots in a repository of the program restic. It knows the
// tags of snapshots, not their content.
package restic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/process"
)

// Program is the name of restic's program.
const Program = "restic"

// grace is how long restic may take to remove its lock when it is told to stop.
const grace = 15 * time.Second

// Repository is a repository of restic. It is safe for concurrent use.
type Repository struct {
	Location string
	env      []string
}

// Open returns the repository of [backup], without contacting it. cache is a folder for
// restic's own cache. It is nil if the farm has none.
func Open(b tenants.Backup, cache string) (*Repository, error) {
	if b.Restic == "" {
		return nil, nil
	}
	env, err := environment(process.Inherited(), b.PasswordFile)
	if err != nil {
		return nil, err
	}
	if b.PasswordFile != "" {
		if err := disk.CheckPrivate(b.PasswordFile); err != nil {
			return nil, fmt.Errorf("password_file: %w", err)
		}
	}
	return &Repository{b.Restic, append(env, "RESTIC_REPOSITORY="+b.Restic, "RESTIC_CACHE_DIR="+cache, "TZ=UTC")}, nil
}

// passwords are the variables that tell restic a password. It refuses some combinations of them,
// so password_file replaces them all.
var passwords = []string{"RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD", "RESTIC_PASSWORD_COMMAND"}

// ours are the variables that Open sets.
var ours = []string{"RESTIC_REPOSITORY", "RESTIC_REPOSITORY_FILE", "RESTIC_CACHE_DIR", "TZ"}

// environment returns the environment for restic, with the file of the password.
func environment(inherited []string, passwordFile string) (env []string, err error) {
	known := false
	for _, variable := range inherited {
		name, value, _ := strings.Cut(variable, "=")
		isPassword := slices.Contains(passwords, name)
		if slices.Contains(ours, name) || isPassword && (passwordFile != "" || value == "") {
			continue
		}
		known = known || isPassword
		env = append(env, variable)
	}
	if passwordFile != "" {
		return append(env, "RESTIC_PASSWORD_FILE="+passwordFile), nil
	}
	if !known {
		return nil, tenants.WithHint(errors.New("the password of restic's repository is not known"),
			"set password_file in [backup] to a file of mode 0600, or RESTIC_PASSWORD_FILE in the environment")
	}
	return env, nil
}

// run runs restic in a folder, and returns its output up to most bytes. If the repository is
// locked, it removes locks whose owner is gone, and tries again.
func (r *Repository) run(ctx context.Context, dir string, most int, args ...string) ([]byte, error) {
	out, err := r.once(ctx, dir, most, args...)
	if !errors.Is(err, errLocked) {
		return out, err
	}
	if _, err := r.once(ctx, "", most, "unlock", "--quiet"); err != nil {
		return nil, err
	}
	return r.once(ctx, dir, most, args...)
}

func (r *Repository) once(ctx context.Context, dir string, most int, args ...string) ([]byte, error) {
	out := limited{most: most}
	result, err := process.Run(ctx, process.Program{Name: Program, Args: args, Dir: dir, Env: r.env, Stdout: &out, Gentle: true, Grace: grace})
	if failed := new(process.Error); errors.As(err, &failed) {
		err = r.explain(result.Exit, failed)
	}
	if err == nil && out.over {
		err = fmt.Errorf("restic %s: its output is longer than %d bytes", args[0], most)
	}
	return out.Bytes(), err
}

// limited keeps the first bytes of a program's output.
type limited struct {
	bytes.Buffer
	most int
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	keep := min(len(p), max(0, l.most-l.Len()))
	l.over = l.over || keep < len(p)
	l.Buffer.Write(p[:keep])
	return len(p), nil
}

// Reach returns an error if the repository can't be used: it does not exist, it can't be reached,
// or the password is wrong.
func (r *Repository) Reach(ctx context.Context) error {
	_, err := r.once(ctx, "", mostText, "cat", "config", "--no-lock")
	return err
}

// Sizes of restic's outputs, in bytes.
const (
	mostText = 1 << 20
	mostList = 256 << 20
)

// incompleteExit is restic's exit status for a snapshot without files that it could not read
// (restic's manual, "Exit status codes").
const incompleteExit = 3

// tries bounds the attempts to make a snapshot while files disappear.
const tries = 3

// Backup makes a snapshot of a folder's files and of other files and folders, which are given
// relative to the folder. A file that disappears meanwhile makes restic's snapshot incomplete:
// then Backup makes another one. made has the ids of all its snapshots; the last is the complete
// one.
func (r *Repository) Backup(ctx context.Context, dir string, targets []string, s Snapshot) (made []string, err error) {
	args := []string{"backup", "--json", "--quiet", "--host", s.host(), "--time", s.Taken.UTC().Format(time.DateTime), "--tag", s.tags(), "--"}
	for range tries {
		var out []byte
		out, err = r.run(ctx, dir, mostText, append(args, targets...)...)
		id := summary(out)
		if id != "" {
			made = append(made, id)
		}
		if !errors.Is(err, errIncomplete) {
			break
		}
	}
	if err == nil && len(made) == 0 {
		err = errors.New("restic backup: it does not say which snapshot it made")
	}
	return made, err
}

// summary returns the id of the snapshot from the output of restic backup --json.
func summary(out []byte) (id string) {
	for line := range bytes.Lines(out) {
		var m struct {
			Type string `json:"message_type"`
			ID   string `json:"snapshot_id"`
		}
		if json.Unmarshal(line, &m) == nil && m.Type == "summary" {
			id = m.ID
		}
	}
	return id
}

// Snapshots returns the snapshots with all of some tags that wikictl made, newest first.
func (r *Repository) Snapshots(ctx context.Context, tags ...string) ([]Snapshot, error) {
	out, err := r.once(ctx, "", mostList, "snapshots", "--json", "--no-lock", "--tag", strings.Join(append([]string{ourTag}, tags...), ","))
	if err != nil {
		return nil, err
	}
	return decode(out)
}

// Read returns a file of a snapshot.
func (r *Repository) Read(ctx context.Context, id, path string) ([]byte, error) {
	return r.once(ctx, "", mostText*16, "dump", "--no-lock", id, "/"+path)
}

// Restore writes all files of a snapshot into a folder.
func (r *Repository) Restore(ctx context.Context, id, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	_, err := r.run(ctx, "", mostText, "restore", "--quiet", id, "--target", dir)
	return err
}

// Forget deletes snapshots, and content that no other snapshot has.
func (r *Repository) Forget(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := r.run(ctx, "", mostText, append([]string{"forget", "--quiet", "--prune"}, ids...)...)
	return err
}

// Oldest is the oldest release of restic that wikictl is tested with, Debian 12's.
var Oldest = [2]int{0, 14}

// versionLine matches the output of restic version.
var versionLine = regexp.MustCompile(`^restic (\d+)\.(\d+)\S*`)

// Version returns restic's version as text, and reports whether it is older than Oldest.
func Version(ctx context.Context) (text string, older bool, err error) {
	result, err := process.Run(ctx, process.Program{Name: Program, Args: []string{"version"}, Env: process.Inherited()})
	if err != nil {
		return "", false, err
	}
	return parseVersion(result.Output)
}

func parseVersion(output string) (text string, older bool, err error) {
	m := versionLine.FindStringSubmatch(output)
	if m == nil {
		return "", false, fmt.Errorf("restic version prints %.100q", output)
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	return strings.TrimPrefix(m[0], "restic "), slices.Compare([]int{major, minor}, Oldest[:]) < 0, nil
}
