package definitions

import (
	"strconv"
	"strings"
	"time"

	"wikictl/tenants"
)

const day = 24 * time.Hour

// readKeep reads [keep].
func (l *loader) readKeep(s *section) {
	k := &l.farm.Keep
	*k = tenants.Keep{Runs: 365 * day, Logs: 90 * day, Dumps: 3, DumpAge: 90 * day, Removed: 90 * day, Goldens: 90 * day, Components: 90 * day, Caches: 90 * day, Temporary: 7 * day,
		Backups: tenants.KeepBackups{Daily: 7, Weekly: 4, Monthly: 6}}
	for _, age := range []struct {
		key string
		to  *time.Duration
	}{{"runs", &k.Runs}, {"logs", &k.Logs}, {"dump_age", &k.DumpAge}, {"removed", &k.Removed}, {"goldens", &k.Goldens}, {"components", &k.Components}, {"caches", &k.Caches}, {"temporary", &k.Temporary}} {
		s.days(age.key, age.to)
	}
	if n, at, ok := get[int64](s, "dumps", "a number of dumps"); ok {
		if k.Dumps = n; n < 1 {
			s.report(at, "dumps", "dump_age = 0 keeps all", "is less than 1: the latest dump of a wiki always stays")
		}
	}
	if _, given := s.table["backups"]; given {
		k.Backups = readKeepBackups(s.sub("backups"))
	}
	s.end()
}

// readKeepBackups reads backups of [keep]. A missing key is 0.
func readKeepBackups(s *section) (k tenants.KeepBackups) {
	for _, rule := range []struct {
		key string
		to  *int64
	}{{"daily", &k.Daily}, {"weekly", &k.Weekly}, {"monthly", &k.Monthly}} {
		if n, at, ok := get[int64](s, rule.key, "a number of backups"); ok {
			if *rule.to = n; n < 0 {
				s.report(at, rule.key, "0 keeps none for this; the newest backup of a wiki always stays", "is less than 0")
			}
		}
	}
	s.end()
	return k
}

// days reads an age: a number of days, or text such as "90d". 0 is unlimited.
func (s *section) days(key string, to *time.Duration) {
	v, found := s.table[key]
	if !found {
		return
	}
	n, ok := v.Data.(int64)
	if text, is := v.Data.(string); is {
		number, unit := strings.CutSuffix(text, "d")
		parsed, err := strconv.ParseInt(number, 10, 64)
		n, ok = parsed, unit && err == nil
	}
	const most = 100 * 365 // below the maximum of a time.Duration, 292 years
	if !ok || n < 0 || n > most {
		s.report(v.Position, key, `such as "90d"; 0 keeps for ever`, "is not a number of days")
		return
	}
	*to = time.Duration(n) * day
}
