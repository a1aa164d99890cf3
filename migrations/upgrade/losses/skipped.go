package losses

import (
	"bufio"
	"io"
	"regexp"
	"strings"
)

// skips matches words by which scripts of MediaWiki and of extensions report skipped
// data. They print in English for all languages of wikis.
var skips = regexp.MustCompile(`(?i)\bskip(s|ped|ping)?\b|\bignor(es|ed|ing)\b|\borphan(s|ed)?\b|\b(could ?n[o']t|can ?not|can't|unable to|failed to)\b|\bleft out\b|\bmissing data\b|\binvalid\b.*\bremov`)

// harmless matches lines with such words that report no loss: optional work of the
// updater, and progress that contains names of pages.
var harmless = []*regexp.Regexp{
	regexp.MustCompile(`^No \w+ table, skipping`),
	regexp.MustCompile(`^Skipping (compatibility|external dependenc|config)`),
	regexp.MustCompile(`^Starting backfill of `),
	regexp.MustCompile(`^Checking for orphaned .*(none|no .*) found`),
	regexp.MustCompile(`(?i)(^|[,;:(]|found|and|with) ?(0|no) (\w+ ){0,2}(were )?(orphan\w*|skipped|ignored|missing data)\b`),
	regexp.MustCompile(`(?i)\b(orphan\w*|skipped|ignored):? (0|none)\b`),
	regexp.MustCompile(`(?i)\b(already (been )?(populated|migrated|done|complete|run)|up to date|not needed|nothing to do|do(es)?(n't| not) exist|no need)\b`),
}

// mostLine is the maximum number of bytes kept of a line.
const mostLine = 300

// most is the maximum number of lines that Said returns.
const most = 1000

// Skipped returns the lines of the updater's output that report skipped data.
func Skipped(log io.Reader) ([]string, error) {
	var skipped []string
	lines := bufio.NewReaderSize(log, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if text := strings.TrimSpace(string(line)); len(skipped) < most && tells(text) {
			skipped = append(skipped, excerpt(text))
		}
		switch err {
		case nil, bufio.ErrBufferFull: // the rest of a long line is read as a line of its own
		case io.EOF:
			return skipped, nil
		default:
			return skipped, err
		}
	}
}

func tells(line string) bool {
	// Most such lines are DatabaseUpdater's notes about finished work, such as
	// "...skipping: 'x' table doesn't exist yet."
	if strings.HasPrefix(line, "...") || !skips.MatchString(line) {
		return false
	}
	for _, h := range harmless {
		if h.MatchString(line) {
			return false
		}
	}
	return true
}

// excerpt returns the line or, if it is long, the text around the matching words.
func excerpt(line string) string {
	if len(line) <= mostLine {
		return line
	}
	from := max(0, skips.FindStringIndex(line)[0]-mostLine/2)
	return strings.ToValidUTF8(line[from:min(len(line), from+mostLine)], "")
}
