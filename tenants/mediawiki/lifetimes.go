package mediawiki

import (
	"time"
)

// lifetime is a version and the last day of its security releases, as YYYY-MM-DD.
type lifetime struct{ version, end string }

// lifetimes are of what MediaWiki runs on, in order (PHP: Supported versions; MariaDB:
// Maintenance Policy; Oracle: Lifetime Support Policy). The versions of MariaDB in between
// were kept up for a year or less.
var lifetimes = map[string][]lifetime{
	"PHP": {
		{"7.4", "2022-11-28"}, {"8.0", "2023-11-26"}, {"8.1", "2025-12-31"}, {"8.2", "2026-12-31"},
		{"8.3", "2027-12-31"}, {"8.4", "2028-12-31"}, {"8.5", "2029-12-31"},
	},
	"MariaDB": {
		{"10.3", "2023-05-25"}, {"10.4", "2024-06-18"}, {"10.5", "2025-06-24"}, {"10.6", "2026-07-06"}, {"10.7", "2023-02-09"},
		{"10.8", "2023-05-20"}, {"10.9", "2023-08-22"}, {"10.10", "2023-11-17"}, {"10.11", "2028-02-16"}, {"11.0", "2024-06-06"},
		{"11.1", "2024-08-21"}, {"11.2", "2024-11-21"}, {"11.3", "2025-05-29"}, {"11.4", "2029-05-29"}, {"11.5", "2025-08-13"},
		{"11.6", "2025-11-13"}, {"11.7", "2026-02-12"}, {"11.8", "2028-06-04"},
	},
	"MySQL": {{"5.7", "2023-10-21"}, {"8.0", "2026-04-30"}, {"8.1", "2023-10-25"}, {"8.2", "2024-01-16"}, {"8.3", "2024-04-30"}, {"8.4", "2032-04-30"}},
}

// Ended returns the last day of the security releases of a version of "MediaWiki", "PHP",
// "MariaDB" or "MySQL" that ended before a day, as YYYY-MM-DD; empty for one that is
// maintained or newer than those known. What is older than all known ended with the first.
func Ended(software, version string, today time.Time) string {
	ends := lifetimes[software]
	if software == "MediaWiki" {
		ends = nil
		for _, v := range versions {
			ends = append(ends, lifetime{v.Name, v.Ends})
		}
	}
	if len(Numbers(version)) < 2 || len(ends) == 0 {
		return ""
	}
	for _, l := range ends {
		if sameVersion(l.version, version) {
			if l.end < today.Format(time.DateOnly) {
				return l.end
			}
			return ""
		}
	}
	if compareVersion(version, ends[0].version) < 0 {
		return ends[0].end
	}
	return ""
}
