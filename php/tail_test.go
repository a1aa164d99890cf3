package php

import (
	"strings"
	"testing"
)

// The end of a log is what went wrong last; of a failed statement, however long, it is the reason.
func TestTail(t *testing.T) {
	long := "ALTER TABLE x\n" + strings.Repeat(" CHANGE a b INT,\n", 9)
	for name, c := range map[string]struct{ log, want string }{
		"last lines": {"1\n2\n3\n4\n5\n6\n", "2 | 3 | 4 | 5 | 6"},
		"frames":     {"why\n#0 a.php(1): f()\n#1 {main}\n", "why"},
		"a statement": {"before\nDBQueryError from line 1: Error 1114: The table 'x' is full\nFunction: f\nQuery: " + long + "\n#0 a.php(1): f()\n",
			"DBQueryError from line 1: Error 1114: The table 'x' is full | Function: f | Query: ALTER TABLE x |  CHANGE a b INT, |  CHANGE a b INT,"},
		"a short statement": {"Error 1091: Can't DROP\nFunction: f\nQuery: Q\n", "Error 1091: Can't DROP | Function: f | Query: Q"},
	} {
		if got := tail(c.log); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
