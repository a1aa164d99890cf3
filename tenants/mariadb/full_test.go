package mariadb

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"

	"wikictl/tenants"
)

// The error of a full disk says where room is needed, whoever reports it.
func TestWithRoom(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string // in the text; empty: it is as it was
	}{
		{fmt.Errorf("server main: %w", &mysql.MySQLError{Number: 1021, Message: "Disk got full"}), "its datadir"},
		{&mysql.MySQLError{Number: 1114, Message: "The table 'x' is full"}, "its datadir"},
		{&mysql.MySQLError{Number: 1005, Message: `Can't create table (errno: 28 "No space left on device")`}, "its datadir"},
		{errors.New(`mariadb: exit status 1: ERROR 1005 (HY000) at line 709: Can't create table (errno: 135 "No more room in record file")`), "its datadir"},
		{errors.New("update.php: exit 1: DBQueryError: Error 1114: The table 'externallinks' is full"), "its datadir"},
		{&os.PathError{Op: "write", Path: "/state/x", Err: syscall.ENOSPC}, "room on that disk"},
		{errors.New("restic backup: write /repo/x: no space left on device"), "room on that disk"},
		{&mysql.MySQLError{Number: 1045, Message: "Access denied"}, ""},
		{tenants.WithHint(syscall.ENOSPC, "a step of its own"), ""},
	} {
		got := WithRoom(c.err)
		if c.want == "" && got != c.err || !strings.Contains(got.Error(), c.want) || !errors.Is(got, c.err) {
			t.Errorf("%v becomes %v", c.err, got)
		}
	}
	if WithRoom(nil) != nil {
		t.Error("no error becomes one")
	}
}
