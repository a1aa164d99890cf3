package tenants

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
)

// Source is where an extension or a skin is fetched from: a git repository or an archive.
type Source struct {
	Skin      bool
	Name      string   // the component's
	Git       string   // address or absolute folder of a repository; empty: an archive
	Version   string   // branch, tag, full name of a ref, or commit of the repository
	Archive   string   // http or https address, or absolute file; empty: a repository
	SHA256    string   // of the archive: 64 hexadecimal digits in lower case
	Composer  bool     // Composer installs the libraries that its composer.json requires
	Codebases []string // names of the codebases that it is for, sorted
	Position  Position
}

// Kind returns "extension" or "skin".
func (s Source) Kind() string {
	if s.Skin {
		return "skin"
	}
	return "extension"
}

// Key returns its path in wikictl.toml, such as "extensions.Foo".
func (s Source) Key() string { return s.Kind() + "s." + s.Name }

// Where returns its address and version, for messages.
func (s Source) Where() string {
	if s.Git == "" {
		return s.Archive
	}
	return s.Git + " " + s.Version
}

// Locked is a source with what was fetched from it: an entry of the lock file.
type Locked struct {
	Kind    string // "extension" or "skin"
	Name    string
	Git     string
	Version string
	Archive string
	SHA256  string
	Commit  string // full id; of a repository only
	Tree    string // SHA-256 of its files, as the package components computes it: 64 hexadecimal digits
	Vendor  string // the same of the libraries that Composer installed; empty: it installed none
}

// Is reports whether the entry is that of a source.
func (l Locked) Is(s Source) bool {
	return l.Kind == s.Kind() && l.Name == s.Name && l.Git == s.Git && l.Version == s.Version &&
		l.Archive == s.Archive && l.SHA256 == s.SHA256 && (s.Composer || l.Vendor == "")
}

// SameSource reports whether two entries are of one source, with or without libraries.
func (l Locked) SameSource(other Locked) bool {
	l.Commit, l.Tree, other.Commit, other.Tree = "", "", "", ""
	if l.Vendor != "" && other.Vendor != "" {
		l.Vendor = other.Vendor
	}
	return l == other
}

// Digest returns 16 hexadecimal digits that differ for different files.
func (l Locked) Digest() string {
	sum := sha256.Sum256([]byte(l.Tree + "\n" + l.Vendor))
	return hex.EncodeToString(sum[:8])
}

// LockedAs returns the entry of a source in the farm's lock file.
func (f *Farm) LockedAs(s Source) (l Locked, found bool) {
	for _, l := range f.Locked {
		if l.Is(s) {
			return l, true
		}
	}
	return l, false
}

// LockFile is the name of the file beside wikictl.toml that holds what was fetched.
const LockFile = "wikictl.lock"

// Components returns the folder of fetched extensions and skins.
func (l Layout) Components() string { return filepath.Join(l.State, "components") }

// Component returns the folder of one fetched version of an extension or a skin.
func (l Layout) Component(c Locked) string {
	return filepath.Join(l.Components(), c.Name+"."+c.Digest(), c.Name)
}
