package forecast

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"

	"wikictl/tenants"
)

// Meter measures the progress of MediaWiki's updater from its output. It is an io.Writer
// for the text, in pieces of any size.
type Meter struct {
	rows  map[string]int64 // of the tables that are processed row by row
	left  []byte           // an incomplete line
	table string           // current
	done  int64            // rows of it
}

// NewMeter returns a Meter for a wiki.
func NewMeter(w Wiki) *Meter {
	m := &Meter{rows: map[string]int64{}}
	for _, s := range w.work() {
		if s.one {
			m.rows[s.table] = s.rows
		}
	}
	return m
}

// Lines with which each script of the updater begins (migrateLinksTable.php,
// migrateExternallinks.php, migrateRevisionCommentTemp.php, migrateRevisionActorTemp.php,
// migrateBlocks.php), and lines with the number of processed rows, since the last such
// line or in all.
var (
	begins = []struct {
		line  *regexp.Regexp
		table string
	}{
		{regexp.MustCompile(`^Populating the pl_target_id column`), "pagelinks"},
		{regexp.MustCompile(`^Populating the tl_target_id column`), "templatelinks"},
		{regexp.MustCompile(`^Populating el_to_domain_index`), "externallinks"},
		{regexp.MustCompile(`^Merging the revision_comment_temp table`), "revision_comment_temp"},
		{regexp.MustCompile(`^Merging the revision_actor_temp table`), "revision_actor_temp"},
		{regexp.MustCompile(`^Populating the block and block_target tables`), "ipblocks"},
	}
	more  = regexp.MustCompile(`^(?:Updated|Migrated) (\d+) (?:rows|blocks)$`)
	total = regexp.MustCompile(`^\.\.\. .*, updated (\d+)$`)
	ends  = regexp.MustCompile(`^Completed `)
)

// Write reads the next piece of the output; it never fails.
func (m *Meter) Write(p []byte) (int, error) {
	m.left = append(m.left, p...)
	for {
		at := bytes.IndexByte(m.left, '\n')
		if at < 0 {
			return len(p), nil
		}
		m.read(bytes.TrimSpace(m.left[:at]))
		m.left = m.left[at+1:]
	}
}

func (m *Meter) read(line []byte) {
	for _, b := range begins {
		if b.line.Match(line) {
			m.table, m.done = b.table, 0
			return
		}
	}
	switch {
	case m.table == "":
	case ends.Match(line):
		m.table = ""
	case total.Match(line):
		m.done = number(total.FindSubmatch(line)[1])
	case more.Match(line):
		m.done += number(more.FindSubmatch(line)[1])
	}
}

func number(digits []byte) int64 {
	n, _ := strconv.ParseInt(string(digits), 10, 64) // one that does not fit is no progress
	return n
}

// Text describes the progress, such as "120,000 of 300,000 rows of pagelinks"; it is
// empty outside of long work.
func (m *Meter) Text() string {
	of := m.rows[m.table]
	if m.table == "" || of == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s rows of %s", tenants.Grouped(m.done), tenants.Grouped(max(of, m.done)), m.table)
}
