package definitions

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// maxAgeDays is the default of max_age_days.
const maxAgeDays = 30

// readBackup reads [backup]: the store, both commands or none, and the age.
func (l *loader) readBackup(s *section) {
	b := &l.farm.Backup
	dump, restore := s.texts("dump"), s.texts("restore")
	b.Dump, b.Restore = values(dump), values(restore)
	l.readStore(s)
	b.MaxAgeDays = maxAgeDays
	if days, at, ok := get[int64](s, "max_age_days", "a number of days"); ok {
		if b.MaxAgeDays = days; days < 0 {
			s.report(at, "max_age_days", "0 when wikictl makes no backups of this farm", "is less than 0")
		}
	}
	s.end()
	for _, c := range []struct {
		key          string
		words, other []text
	}{{"dump", dump, restore}, {"restore", restore, dump}} {
		if len(c.words) == 0 {
			if len(c.other) > 0 {
				s.report(c.other[0].at, c.key, "set both: a dump is useless if it can't be restored", "is missing")
			}
			continue
		}
		line := strings.Join(values(c.words), " ")
		for _, placeholder := range []string{"{database}", "{file}"} {
			if !strings.Contains(line, placeholder) {
				s.report(c.words[0].at, c.key, `such as ["/usr/local/sbin/dump-wiki", "--defaults-file={options}", "{database}", "{file}"]`, "does not have %s in it", placeholder)
			}
		}
	}
}

// resticKinds are the kinds of repositories that begin with a name (restic's manual,
// "Preparing a new repository"). All others are folders.
var resticKinds = []string{"azure", "b2", "gs", "local", "rclone", "rest", "s3", "sftp", "swift"}

// resticKind matches the kind at the begin of a repository.
var resticKind = regexp.MustCompile(`^([A-Za-z0-9]+):(.*)$`)

// addressPassword matches a password in an address.
var addressPassword = regexp.MustCompile(`://[^/@]*:[^/@]*@`)

// readStore reads the repository of restic that gets backups, and the file of its password.
func (l *loader) readStore(s *section) {
	const example = `such as "restic:/srv/backups/wikis" or "restic:sftp:backup@host:/srv/wikis"; without store they go to state/archives`
	b := &l.farm.Backup
	store, password := s.text("store"), s.text("password_file")
	repository, isRestic := strings.CutPrefix(store.value, "restic:")
	folder, kind := repository, ""
	if m := resticKind.FindStringSubmatch(repository); m != nil {
		kind, folder = m[1], m[2]
	}
	switch {
	case !store.set():
		if password.set() {
			s.report(password.at, "password_file", example, "is the password of a restic repository, and store names none")
		}
		return
	case !isRestic, folder == "":
		s.report(store.at, "store", example, "%q is not a store that wikictl knows", store.value)
	case kind != "" && !slices.Contains(resticKinds, kind):
		s.report(store.at, "store", "restic has "+strings.Join(resticKinds, ", "), "%q is not a kind of restic repository", kind)
	case (kind == "" || kind == "local") && !filepath.IsAbs(folder):
		s.report(store.at, "store", example, "%q is not an absolute path", folder)
	case addressPassword.MatchString(repository):
		s.report(store.at, "store", "restic reads that of a REST server from RESTIC_REST_PASSWORD in the environment", "holds a password")
	}
	b.Restic, b.PasswordFile = repository, l.path(password.value)
}
