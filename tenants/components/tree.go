package components

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// The bounds of one component; the largest extensions have some 20,000 files of 200 MB.
const (
	maxFiles = 200_000
	maxBytes = 2 << 30
)

var errTooLarge = fmt.Errorf("it has more than %d files or %d MiB", maxFiles, maxBytes>>20)

// listFile names the list of a component's files, beside its folder.
const listFile = "files.sha256"

// files are lines "HASH MODE PATH", sorted by path. The hash is the file's SHA-256, or that of
// a link's target; the mode is f of a file, x of a program, l of a link.
type files struct{ source, libraries []string }

// tree is the hash of the files that were fetched.
func (f files) tree() string { return hashOf(f.source) }

// vendor is the hash of the files that Composer installed.
func (f files) vendor() string { return hashOf(f.libraries) }

func hashOf(lines []string) string {
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])
}

// write writes the list, so that Verify can name the files that changed.
func (f files) write(path string) error {
	text := strings.Join(slices.Concat(f.source, f.libraries), "\n") + "\n"
	return deploy.WriteFile(path, []byte(text), 0o644, -1)
}

// list reads all files below a folder. With composed those that Composer makes are apart. It
// refuses links that lead out, and everything that is no file, folder or link. It gives files
// and folders the modes that the web server needs.
func list(dir string, composed bool) (f files, err error) {
	count, size := 0, int64(0)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if strings.ContainsAny(name, "\n\r") {
			return fmt.Errorf("the name %q has a line break", name)
		}
		if d.IsDir() {
			return nil
		}
		line, n, err := lineOf(dir, path, name)
		if count, size = count+1, size+n; err == nil && (count > maxFiles || size > maxBytes) {
			err = errTooLarge
		}
		top, _, _ := strings.Cut(name, "/")
		if composed && (top == "vendor" || name == "composer.lock") {
			f.libraries = append(f.libraries, line)
		} else {
			f.source = append(f.source, line)
		}
		return err
	})
	byPath := func(a, b string) int { return strings.Compare(a[66:], b[66:]) }
	if err == nil {
		slices.SortFunc(f.source, byPath)
		slices.SortFunc(f.libraries, byPath)
	}
	return f, err
}

// lineOf is the line of a file or a link.
func lineOf(root, path, name string) (line string, size int64, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", 0, err
	}
	h, mode := sha256.New(), "f"
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		if err != nil {
			return "", 0, err
		}
		if err := staysWithin(root, name, target); err != nil {
			return "", 0, err
		}
		mode = "l"
		io.WriteString(h, target)
	case info.Mode().IsRegular():
		if info.Mode()&0o111 != 0 {
			mode = "x"
		}
		head := ""
		if size, head, err = hashFile(h, path); err != nil {
			return "", size, err
		}
		if size < 1024 && head == pointerHead {
			return "", size, tenants.WithHint(fmt.Errorf("%s is a pointer of Git LFS, whose file git did not fetch", name), "take an archive that has the file, or install git-lfs and run git lfs install --system")
		}
	default:
		return "", 0, fmt.Errorf("%s is neither a file nor a folder nor a link", name)
	}
	return hex.EncodeToString(h.Sum(nil)) + " " + mode + " " + name, size, nil
}

// pointerHead begins a file that stands for a larger one elsewhere (Git LFS Specification).
const pointerHead = "version https://git-lfs.github.com/spec/"

// hashFile hashes a file, and returns its size and as much of its beginning as pointerHead has.
func hashFile(h io.Writer, path string) (size int64, head string, err error) {
	f, err := disk.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	first := make([]byte, len(pointerHead))
	n, err := io.ReadFull(f, first)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return 0, "", err
	}
	size, err = io.Copy(h, io.MultiReader(bytes.NewReader(first[:n]), io.LimitReader(f, maxBytes+1-int64(n))))
	return size, string(first[:n]), err
}

// staysWithin refuses a link whose target, by its words, is not in the component's folder. A
// link that leads by way of another link is refused by that one.
func staysWithin(root, name, target string) error {
	if target == "" || filepath.IsAbs(target) || !filepath.IsLocal(filepath.Join(filepath.Dir(name), target)) {
		return fmt.Errorf("the link %s leads out of the folder, to %s", name, target)
	}
	// a/b -> .., c -> a/b/.. : words alone don't tell
	real, err := filepath.EvalSymlinks(filepath.Join(root, filepath.Dir(name), target))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a link to nothing is harmless
	}
	if err != nil {
		return err
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return err
	}
	if real != root && !strings.HasPrefix(real, root+"/") {
		return fmt.Errorf("the link %s leads out of the folder, to %s", name, target)
	}
	return nil
}

// readable gives folders and files the modes that the web server needs, and no others.
func readable(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Type()&fs.ModeSymlink != 0:
			return nil
		case d.IsDir():
			return os.Chmod(path, 0o755)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		return os.Chmod(path, mode)
	})
}

// intact returns an error unless a folder holds exactly the files of an entry.
func intact(dir string, l tenants.Locked) error {
	if _, err := os.Lstat(dir); err != nil {
		return fmt.Errorf("it is not fetched: %s", disk.Reason(err))
	}
	now, err := list(dir, l.Vendor != "")
	if err != nil {
		return err
	}
	if now.tree() == l.Tree && (l.Vendor == "" || now.vendor() == l.Vendor) {
		return nil
	}
	return fmt.Errorf("its files are not those of %s: %s", tenants.LockFile, changed(dir, now))
}

// changed names the files that differ from the list that was made when they were fetched.
func changed(dir string, now files) string {
	text, _ := disk.Read(filepath.Join(filepath.Dir(dir), listFile))
	was := map[string]string{}
	for line := range bytes.Lines(text) {
		if line := strings.TrimSuffix(string(line), "\n"); len(line) > 66 {
			was[line[67:]] = line[:66]
		}
	}
	var names []string
	for _, line := range slices.Concat(now.source, now.libraries) {
		if was[line[67:]] != line[:66] {
			names = append(names, line[67:])
		}
		delete(was, line[67:])
	}
	for name := range was {
		names = append(names, name)
	}
	slices.Sort(names)
	const most = 5
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}
