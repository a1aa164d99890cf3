package mariadb

import (
	"errors"
	"slices"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"

	"wikictl/tenants"
)

// noRoom are the words for a full disk, of a server, its client, and MediaWiki, in small letters.
var noRoom = []string{"no space left on device", "errcode: 28", "no more room in record file", "error 1021: ", "error 1114: "}

// WithRoom adds to the error of a full disk, the server's or this machine's, where to make room. It
// returns any other error, and one with a hint, as it is.
func WithRoom(err error) error {
	if err == nil {
		return nil
	}
	if _, hint := tenants.SplitHint(err); hint != "" {
		return err
	}
	says := func(text string) bool { return strings.Contains(strings.ToLower(err.Error()), text) }
	var answer *mysql.MySQLError
	switch full := slices.ContainsFunc(noRoom, says); {
	case errors.As(err, &answer) && (full || answer.Number == errDiskFull || answer.Number == errTableFull), full && says("error 1"):
		return tenants.WithHint(err, "make room on the disk of the database server, which has temporary tables in its tmpdir and all else in its datadir, and run this again")
	case full || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return tenants.WithHint(err, "make room on that disk, and run this again")
	}
	return err
}
