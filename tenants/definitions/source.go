package definitions

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"wikictl/tenants"
)

// sum256 matches a SHA-256 in the form of sha256sum.
var sum256 = regexp.MustCompile(`^[0-9a-f]{64}$`)

// scp matches a repository in ssh's short form, such as git@example.org:foo.git
// (git-clone(1), GIT URLs).
var scp = regexp.MustCompile(`^([A-Za-z0-9._-]+@)?[A-Za-z0-9.-]+:[^/:].*$`)

// commit matches the full id of a commit, by SHA-1 or SHA-256.
var commit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// version matches a branch or tag that git-check-ref-format(1) allows, or a commit.
var version = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/+@-]*$`)

// readSource reads the source of a component, as far as a table sets it.
func (l *loader) readSource(kind, name string, at tenants.Position, s *section) tenants.Source {
	source := tenants.Source{
		Skin: kind == "skin", Name: name, Position: at,
		Git: s.text("git").value, Version: s.text("version").value, Archive: s.text("archive").value, SHA256: strings.ToLower(s.text("sha256").value),
	}
	if isFile(source.Git) {
		source.Git = l.path(source.Git)
	}
	if isFile(source.Archive) {
		source.Archive = l.path(source.Archive)
	}
	return source
}

// isFile reports whether an address is a path on this machine.
func isFile(address string) bool {
	return address != "" && !strings.Contains(address, "://") && (filepath.IsAbs(address) || !scp.MatchString(address))
}

// checkSource reports the mistakes of a source, and returns whether it has none.
func (l *loader) checkSource(s *section, at tenants.Position, source tenants.Source) bool {
	before := len(*s.problems)
	switch {
	case source.Git != "" && source.Archive != "":
		s.report(at, "git", "remove one of them", "there is an archive, too")
	case source.Git == "" && source.Archive == "":
		s.report(at, "git", "or archive and sha256", "is missing")
	case source.Git != "" && source.Version == "":
		s.report(at, "version", "a branch such as \"REL1_43\", a tag or a commit", "is missing")
	case source.Git != "" && source.SHA256 != "":
		s.report(at, "sha256", "remove it: the lock file has the commit", "belongs to an archive, not to a repository")
	case source.Git != "":
		checkGit(s, at, source)
	case source.Version != "":
		s.report(at, "version", "remove it", "belongs to a repository, not to an archive")
	case source.SHA256 == "":
		s.report(at, "sha256", "the output of sha256sum for the archive", "is missing")
	case !sum256.MatchString(source.SHA256):
		s.report(at, "sha256", "64 hexadecimal digits, as sha256sum prints", "%q is not a SHA-256", source.SHA256)
	default:
		checkFetched(s, at, "archive", source.Archive, "https", "http")
	}
	return len(*s.problems) == before && at.File != ""
}

// checkGit checks the address of a repository and the name of a version.
func checkGit(s *section, at tenants.Position, source tenants.Source) {
	checkFetched(s, at, "git", source.Git, "https", "http", "ssh", "git", "file")
	if !version.MatchString(source.Version) || strings.Contains(source.Version, "..") || strings.HasSuffix(source.Version, ".lock") || strings.Contains(source.Version, "@{") {
		s.report(at, "version", "such as \"REL1_43\"", "%q is not a name of a branch or tag, nor a commit", source.Version)
	}
}

// checkFetched checks an address with a scheme. Paths and ssh's short form have none.
func checkFetched(s *section, at tenants.Position, key, address string, schemes ...string) {
	if !strings.Contains(address, "://") {
		if strings.HasPrefix(address, "-") || strings.Contains(address, "::") || key == "archive" && !filepath.IsAbs(address) {
			s.report(at, key, "an address, or a path", "%q can't be fetched", address)
		}
		return
	}
	u, err := url.Parse(address)
	known := false
	for _, scheme := range schemes {
		known = known || err == nil && u.Scheme == scheme
	}
	switch {
	case !known:
		s.report(at, key, "one of "+strings.Join(schemes, ", "), "%q can't be fetched: it has another scheme", address)
	case u.Host == "" && u.Scheme != "file" || strings.HasPrefix(u.Host, "-"):
		s.report(at, key, "", "%q names no host", address)
	case hasPassword(u):
		s.report(at, key, "give it to git's credential helper, or to ~/.netrc", "holds a password")
	}
}

func hasPassword(u *url.URL) bool {
	_, has := u.User.Password()
	return has
}
