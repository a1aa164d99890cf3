package mariadb

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Lost counts the content made in a wiki since a time, which a restore to that time would lose.
type Lost struct {
	Edits      int64    `json:"edits"`
	Uploads    int64    `json:"uploads"`
	Accounts   int64    `json:"accounts"`
	LogEntries int64    `json:"log_entries"`
	Files      []string `json:"files,omitempty"` // names of uploads, newest first, at most mostFiles
}

// mostFiles is the maximum number of uploads that Lost lists by name.
const mostFiles = 1000

// Beyond reports whether any count exceeds that of o.
func (l Lost) Beyond(o Lost) bool {
	return l.Edits > o.Edits || l.Uploads > o.Uploads || l.Accounts > o.Accounts || l.LogEntries > o.LogEntries
}

// String returns a text such as "2 edits, 1 upload, no accounts, 3 log entries".
func (l Lost) String() string {
	return strings.Join([]string{count(l.Edits, "edit", "edits"), count(l.Uploads, "upload", "uploads"),
		count(l.Accounts, "account", "accounts"), count(l.LogEntries, "log entry", "log entries")}, ", ")
}

func count(n int64, single, many string) string {
	switch n {
	case 0:
		return "no " + many
	case 1:
		return "1 " + single
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Since counts the content made in a wiki's database since a time. It fails if that time is in
// the future: since a clock was set back, content has earlier times.
func (s *Server) Since(ctx context.Context, database string, since time.Time) (l Lost, err error) {
	in, stamp := Quote(database)+".", since.UTC().Format("20060102150405")
	var ahead bool
	err = s.db.QueryRowContext(ctx, `SELECT ? > UTC_TIMESTAMP(3) + INTERVAL 1 MINUTE,
		(SELECT COUNT(*) FROM `+in+`revision WHERE rev_timestamp >= ?),
		(SELECT COUNT(*) FROM `+in+`image WHERE img_timestamp >= ?),
		(SELECT COUNT(*) FROM `+in+`user WHERE user_registration >= ?),
		(SELECT COUNT(*) FROM `+in+`logging WHERE log_timestamp >= ?)`, since.UTC(), stamp, stamp, stamp, stamp).
		Scan(&ahead, &l.Edits, &l.Uploads, &l.Accounts, &l.LogEntries)
	if err != nil {
		return l, fmt.Errorf("count the new content of %q: %w", database, err)
	}
	if ahead {
		return Lost{}, fmt.Errorf("the content made since then can't be counted: a clock was ahead, which showed %s UTC", since.UTC().Format(time.DateTime))
	}
	rows, err := s.db.QueryContext(ctx, `SELECT img_name FROM `+in+`image WHERE img_timestamp >= ? ORDER BY img_timestamp DESC, img_name LIMIT ?`, stamp, mostFiles)
	if err != nil {
		return l, fmt.Errorf("list the uploads of %q: %w", database, err)
	}
	l.Files, err = Column[string](rows)
	return l, err
}
