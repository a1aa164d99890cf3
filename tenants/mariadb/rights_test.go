package mariadb

import (
	"slices"
	"strings"
	"testing"
)

// What SHOW GRANTS prints of accounts, and what they lack.
func TestRightsMissing(t *testing.T) {
	all := strings.Join(neededRights, ", ")
	for _, tc := range []struct {
		name   string
		grants []string
		want   string
	}{
		{"root", []string{"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED VIA unix_socket WITH GRANT OPTION", "GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION"}, ""},
		{"all without the option", []string{"GRANT ALL PRIVILEGES ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*B6'"}, "GRANT OPTION"},
		{"each", []string{"GRANT " + all + " ON *.* TO `a`@`%` WITH GRANT OPTION"}, ""},
		{"all but one", []string{"GRANT " + strings.Replace(all, "PROCESS, ", "", 1) + " ON *.* TO `a`@`%` WITH GRANT OPTION"}, "PROCESS"},
		{"of two lines", []string{"GRANT " + strings.Replace(all, "PROCESS, ", "", 1) + " ON *.* TO `a`@`%`", "GRANT PROCESS ON *.* TO `r` WITH GRANT OPTION"}, ""},
		{"of one database", []string{"GRANT USAGE ON *.* TO `a`@`%`", "GRANT ALL PRIVILEGES ON `wiki`.* TO `a`@`%` WITH GRANT OPTION"}, all + ", GRANT OPTION"},
	} {
		r := Rights{Known: neededRights}
		for _, line := range tc.grants {
			r.add(line)
		}
		if got := strings.Join(r.Missing(false), ", "); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	r := Rights{Known: slices.DeleteFunc(slices.Clone(neededRights), func(p string) bool { return p == "DELETE HISTORY" })}
	if got := r.Missing(false); slices.Contains(got, "DELETE HISTORY") || len(got) != len(neededRights) {
		t.Errorf("a server that does not know it: %v", got)
	}
	r.Privileges = append(slices.Clone(r.Known), "X")
	if got := strings.Join(r.Missing(true), ", "); got != "SLAVE MONITOR, GRANT OPTION" {
		t.Errorf("with replicas: %s", got)
	}
}
