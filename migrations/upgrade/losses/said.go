package losses

import (
	"bufio"
	"io"
	"regexp"
	"strings"
)

// skips are words by which scripts of MediaWiki and of extensions say that they did not
// take something along. They print in English whatever the wiki's language.
var skips = regexp.MustCompile(`(?i)\bskip(s|ped|ping)?\b|\bignor(es|ed|ing)\b|\borphan(s|ed)?\b|\b(could ?n[o']t|can ?not|can't|unable to|failed to)\b|\bleft out\b|\bmissing data\b|\binvalid\b.*\bremov`)

// harmless are lines with such words that tell of nothing that was there: what the updater
// looked for and need not do, and progress that has names of pages in it.
var harmless = []*regexp.Regexp{
	regexp.MustCompile(`^No \w+ table, skipping`),
	regexp.MustCompile(`^Skipping (compatibility|external dependenc|config)`),
	regexp.MustCompile(`^Starting backfill of `),
	regexp.MustCompile(`^Checking for orphaned .*(none|no .*) found`),
	regexp.MustCompile(`(?i)(^|[,;:(]|found|and|with) ?(0|no) (\w+ ){0,2}(were )?(orphan\w*|skipped|ignored|missing data)\b`),
	regexp.MustCompile(`(?i)\b(orphan\w*|skipped|ignored):? (0|none)\b`),
	regexp.MustCompile(`(?i)\b(already (been )?(populated|migrated|done|complete|run)|up to date|not needed|nothing to do|do(es)?(n't| not) exist|no need)\b`),
}

// mostLine is how much of a line is kept, in bytes.
const mostLine = 300

// most is how many lines Said returns.
const most = 1000

// Said finds, in what the updater printed, the lines that say that something was skipped.
func Said(log io.Reader) ([]string, error) {
	var said []string
	lines := bufio.NewReaderSize(log, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if text := strings.TrimSpace(string(line)); len(said) < most && tells(text) {
			said = append(said, excerpt(text))
		}
		switch err {
		case nil, bufio.ErrBufferFull: // the rest of a long line is looked at as one of its own
		case io.EOF:
			return said, nil
		default:
			return said, err
		}
	}
}

func tells(line string) bool {
	// Most lines are DatabaseUpdater's "it is so already", such as "...skipping: 'x' table
	// doesn't exist yet."
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

// excerpt is the line, or what stands around the words that matter in a long one.
func excerpt(line string) string {
	if len(line) <= mostLine {
		return line
	}
	from := max(0, skips.FindStringIndex(line)[0]-mostLine/2)
	return strings.ToValidUTF8(line[from:min(len(line), from+mostLine)], "")
}
