package definitions

import "strings"

// maxAgeDays is the default of max_age_days.
const maxAgeDays = 30

// readBackup reads [backup]: both commands or none, and the age.
func (l *loader) readBackup(s *section) {
	b := &l.farm.Backup
	dump, restore := s.texts("dump"), s.texts("restore")
	b.Dump, b.Restore = values(dump), values(restore)
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
				s.report(c.other[0].at, c.key, "set both: a dump that can't be restored is of no use", "is missing")
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
