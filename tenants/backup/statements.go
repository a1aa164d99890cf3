package backup

import "bytes"

// Statements is a writer that measures the statements of a dump: a server accepts none
// longer than its max_allowed_packet. Inside a statement no line of mariadb-dump's ends
// with a semicolon, since it escapes line ends in strings.
type Statements struct {
	Longest int64 // bytes of the longest statement so far
	Bytes   int64 // of all statements so far

	now       int64 // bytes of the statement that is being written
	semicolon bool  // whether the last byte was a semicolon
}

// Write measures p and never fails.
func (l *Statements) Write(p []byte) (int, error) {
	size := len(p)
	l.Bytes += int64(size)
	if l.semicolon && size > 0 && p[0] == '\n' {
		l.end()
	}
	if size > 0 {
		l.semicolon = p[size-1] == ';'
	}
	for {
		i := bytes.Index(p, []byte(";\n"))
		if i < 0 {
			break
		}
		l.now += int64(i)
		l.end()
		p = p[i+2:]
	}
	l.now += int64(len(p))
	l.Longest = max(l.Longest, l.now)
	return size, nil
}

func (l *Statements) end() {
	l.Longest = max(l.Longest, l.now)
	l.now = 0
}
