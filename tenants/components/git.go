package components

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/process"
)

// Git is the program that fetches repositories.
const Git = "git"

// fullID is a commit's, by SHA-1 or SHA-256; partID may be the beginning of one.
var (
	fullID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	partID = regexp.MustCompile(`^[0-9a-f]{7,63}$`)
)

// gitOptions make git run nothing of a repository and no hook, and give up on a connection
// that stalls.
var gitOptions = []string{
	"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.symlinks=true", "-c", "core.autocrlf=false",
	"-c", "protocol.ext.allow=never", "-c", "advice.detachedHead=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
	"-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60", "-c", "init.defaultBranch=main",
}

// gitFolders are variables that would make git work on another repository.
var gitFolders = []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_CEILING_DIRECTORIES"}

// git runs git, which never asks for a password.
func git(ctx context.Context, dir string, out *bytes.Buffer, args ...string) error {
	env := slices.DeleteFunc(process.Inherited(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(gitFolders, name)
	})
	env = append(env, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file")
	if os.Getenv("GIT_SSH_COMMAND") == "" {
		env = append(env, "GIT_SSH_COMMAND=ssh -oBatchMode=yes")
	}
	p := process.Program{Name: Git, Args: append(slices.Clone(gitOptions), args...), Dir: dir, Env: env}
	if out != nil {
		p.Stdout = out
	}
	_, err := process.Run(ctx, p)
	if _, missing := process.Find(Git); err != nil && missing != nil {
		return tenants.WithHint(errors.New("the program git is missing"), "apt-get install git")
	}
	return err
}

// resolve asks a repository which commit a version is.
func resolve(ctx context.Context, s tenants.Source) (commit string, err error) {
	if fullID.MatchString(s.Version) {
		return s.Version, nil
	}
	var out bytes.Buffer
	if err := git(ctx, "/", &out, "ls-remote", "--", s.Git, s.Version, s.Version+"^{}"); err != nil {
		return "", fmt.Errorf("ask %s: %w", s.Git, err)
	}
	return pick(s, out.String())
}

// pick finds a version in git's list of refs: a full name, a branch, or a tag, of which the
// commit counts and not the tag's own id.
func pick(s tenants.Source, refs string) (string, error) {
	ids := map[string]string{}
	for line := range strings.Lines(refs) {
		if id, ref, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && fullID.MatchString(id) {
			ids[ref] = id
		}
	}
	of := func(ref string) string {
		if peeled := ids[ref+"^{}"]; peeled != "" {
			return peeled
		}
		return ids[ref]
	}
	branch, tag := of("refs/heads/"+s.Version), of("refs/tags/"+s.Version)
	switch {
	case strings.HasPrefix(s.Version, "refs/") && of(s.Version) != "":
		return of(s.Version), nil
	case branch != "" && tag != "" && branch != tag:
		return "", tenants.WithHint(fmt.Errorf("%s has a branch and a tag %s", s.Git, s.Version), fmt.Sprintf("version = \"refs/heads/%s\" or \"refs/tags/%[1]s\"", s.Version))
	case branch != "":
		return branch, nil
	case tag != "":
		return tag, nil
	case partID.MatchString(s.Version):
		return "", tenants.WithHint(fmt.Errorf("%s has no branch or tag %s", s.Git, s.Version), "write all digits of a commit")
	}
	return "", tenants.WithHint(fmt.Errorf("%s has no branch or tag %s", s.Git, s.Version), "git ls-remote "+s.Git+" lists them")
}

// checkout puts the files of a commit into a folder, with its submodules and without git's own.
func checkout(ctx context.Context, s tenants.Source, commit, dir string) error {
	in := func(args ...string) error { return git(ctx, dir, nil, args...) }
	if err := in("init", "-q"); err != nil {
		return err
	}
	if err := in("remote", "add", "origin", s.Git); err != nil {
		return err
	}
	if err := fetchCommit(in, s, commit); err != nil {
		return fmt.Errorf("fetch %s: %w", s.Where(), err)
	}
	if err := checkSize(ctx, dir, commit); err != nil {
		return err
	}
	if err := in("checkout", "-q", "--detach", commit); err != nil {
		return err
	}
	if err := submodules(in, s, dir); err != nil {
		return fmt.Errorf("fetch the submodules of %s: %w", s.Where(), err)
	}
	return errors.Join(removeGit(dir), readable(dir))
}

// fetchCommit fetches one commit without its history, where the server gives commits by id,
// and otherwise all branches and tags.
func fetchCommit(in func(...string) error, s tenants.Source, commit string) error {
	if in("fetch", "-q", "--depth=1", "--no-tags", "origin", commit) == nil {
		return nil
	}
	if err := in("fetch", "-q", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"); err != nil {
		return err
	}
	if err := in("cat-file", "-e", commit+"^{commit}"); err != nil {
		return tenants.WithHint(fmt.Errorf("it has no commit %s any more", commit), "wikictl extensions fetch --update "+s.Name+" takes the one of today")
	}
	return nil
}

// counter stops git when a commit has too many or too large files.
type counter struct {
	files int
	bytes int64
	rest  []byte
}

// Write reads lines of git ls-tree --long: mode, type, id, size, path.
func (c *counter) Write(text []byte) (int, error) {
	c.rest = append(c.rest, text...)
	for {
		line, after, whole := bytes.Cut(c.rest, []byte{0})
		if !whole {
			return len(text), nil
		}
		c.rest = after
		var mode, kind, id string
		var size int64
		fmt.Sscan(string(line), &mode, &kind, &id, &size)
		if c.files, c.bytes = c.files+1, c.bytes+size; c.files > maxFiles || c.bytes > maxBytes {
			return 0, errTooLarge
		}
	}
}

// checkSize refuses a commit that would fill the disk.
func checkSize(ctx context.Context, dir, commit string) error {
	c := new(counter)
	_, err := process.Run(ctx, process.Program{Name: Git, Args: []string{"-C", dir, "ls-tree", "-r", "-z", "--long", commit}, Env: []string{"LC_ALL=C"}, Stdout: c})
	if c.files > maxFiles || c.bytes > maxBytes {
		return errTooLarge
	}
	return err
}

// submodules fetches the commits of other repositories that a commit names. Only a repository
// that is a folder of this machine may name such folders.
func submodules(in func(...string) error, s tenants.Source, dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, ".gitmodules")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var local []string
	if filepath.IsAbs(s.Git) || strings.HasPrefix(s.Git, "file:") {
		local = []string{"-c", "protocol.file.allow=always"}
	}
	update := append(local, "submodule", "update", "-q", "--init", "--recursive")
	if in(append(slices.Clone(update), "--depth=1")...) == nil {
		return nil
	}
	return in(update...)
}

// removeGit removes git's own folders and files.
func removeGit(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.EqualFold(d.Name(), ".git") {
			return err
		}
		if err := os.RemoveAll(path); err != nil || !d.IsDir() {
			return err
		}
		return fs.SkipDir
	})
}
