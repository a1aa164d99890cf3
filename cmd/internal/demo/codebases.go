package demo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"wikictl/tenants/process"
)

// release is a Debian release and the folder of its MediaWiki.
type release struct {
	MediaWiki, Suite string
	Keys             string // of the archive's keyrings, a pattern
}

// releases lists the Debian releases that have the two long-term MediaWiki versions.
var releases = []release{{"1.39", "bookworm", "bookworm-*"}, {"1.43", "trixie", "trixie-*"}}

// others lists the Debian releases of an older version, and of a newer one of 1.43.
// Unstable is signed with the keys of the stable releases.
var others = []release{{"1.35", "bullseye", "bullseye-*"}, {Newer, "sid", "*-automatic"}}

// Newer is the folder of the newest MediaWiki 1.43.
const Newer = "1.43-newer"

// Codebases unpacks MediaWiki 1.39 and 1.43 from Debian's packages into folders below
// dir, unless they exist. It does not install them.
func Codebases(ctx context.Context, dir string, say func(string)) error {
	return unpackAll(ctx, releases, dir, say)
}

// MoreCodebases unpacks also MediaWiki 1.35, and the newest 1.43 as Newer.
func MoreCodebases(ctx context.Context, dir string, say func(string)) error {
	return unpackAll(ctx, others, dir, say)
}

func unpackAll(ctx context.Context, list []release, dir string, say func(string)) error {
	for _, r := range list {
		tree := filepath.Join(dir, r.MediaWiki)
		if _, err := os.Stat(tree); err == nil {
			continue
		}
		say(fmt.Sprintf("unpacking MediaWiki %s into %s", r.MediaWiki, tree))
		if err := r.unpack(ctx, tree); err != nil {
			return fmt.Errorf("MediaWiki %s of Debian %s: %w", r.MediaWiki, r.Suite, err)
		}
	}
	return nil
}

// unpack downloads and unpacks one version; the tree appears when it is complete.
func (r release) unpack(ctx context.Context, tree string) error {
	work := tree + ".half"
	if err := os.RemoveAll(work); err != nil {
		return err
	}
	if err := r.download(ctx, work); err != nil {
		return err
	}
	packages, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(packages) == 0 {
		return errors.New("nothing was downloaded")
	}
	for _, p := range packages {
		if err := run(ctx, work, "dpkg-deb", "-x", p, filepath.Join(work, "root")); err != nil {
			return err
		}
	}
	unpacked := filepath.Join(work, "root/usr/share/mediawiki")
	// Debian links these to places in /etc and /var; a shared tree has neither
	// configuration nor uploads.
	for _, name := range []string{"LocalSettings.php", "config", "images", "extensions"} {
		if err := os.Remove(filepath.Join(unpacked, name)); err != nil {
			return err
		}
	}
	if err := os.Rename(filepath.Join(unpacked, "extensions-core"), filepath.Join(unpacked, "extensions")); err != nil {
		return err
	}
	if err := os.Rename(unpacked, tree); err != nil {
		return err
	}
	return os.RemoveAll(work)
}

// download downloads and verifies the packages with apt in a separate root, so that the
// machine's own lists and packages do not change.
func (r release) download(ctx context.Context, work string) error {
	mirror, err := Mirror(ctx)
	if err != nil {
		return err
	}
	for _, dir := range []string{"lists/partial", "cache/archives/partial", "sources"} {
		if err := os.MkdirAll(filepath.Join(work, dir), 0o755); err != nil {
			return err
		}
	}
	keys, err := filepath.Glob("/usr/share/keyrings/debian-archive-" + r.Keys + ".gpg")
	if err != nil || len(keys) == 0 {
		return fmt.Errorf("/usr/share/keyrings has no key of Debian %s; upgrade debian-archive-keyring", r.Suite)
	}
	source := fmt.Sprintf("Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n", mirror, r.Suite, strings.Join(keys, " "))
	err = errors.Join(
		os.WriteFile(filepath.Join(work, "sources/release.sources"), []byte(source), 0o644),
		os.WriteFile(filepath.Join(work, "status"), nil, 0o644),
	)
	if err != nil {
		return err
	}
	apt := func(args ...string) error {
		return run(ctx, work, "apt-get", append([]string{
			"-o", "Dir::Etc::SourceList=/dev/null", "-o", "Dir::Etc::SourceParts=" + work + "/sources",
			"-o", "Dir::State=" + work, "-o", "Dir::State::Lists=" + work + "/lists", "-o", "Dir::State::status=" + work + "/status",
			"-o", "Dir::Cache=" + work + "/cache", "-o", "APT::Sandbox::User=" + owner(), "-o", "Acquire::Languages=none",
		}, args...)...)
	}
	if err := apt("update"); err != nil {
		return err
	}
	return apt("download", "mediawiki", "mediawiki-classes")
}

// owner returns the user for apt's downloads, who owns the folder.
func owner() string {
	if os.Geteuid() == 0 {
		return "root"
	}
	return ""
}

// Mirror returns the archive that this machine's apt uses for Debian's main packages.
func Mirror(ctx context.Context) (string, error) {
	var out bytes.Buffer
	args := []string{"indextargets", "--format", "$(REPO_URI) $(LABEL) $(COMPONENT)", "Created-By: Packages"}
	if _, err := process.Run(ctx, process.Program{Name: "apt-get", Args: args, Env: process.Inherited(), Stdout: &out}); err != nil {
		return "", err
	}
	lines := bufio.NewScanner(&out)
	for lines.Scan() {
		if uri, ok := strings.CutSuffix(lines.Text(), " Debian main"); ok {
			return uri, nil
		}
	}
	return "", errors.New("apt on this machine has no Debian archive")
}

// run runs a program in dir; it returns the output in an error only.
func run(ctx context.Context, dir, name string, args ...string) error {
	_, err := process.Run(ctx, process.Program{Name: name, Args: args, Dir: dir, Env: process.Inherited()})
	return err
}
