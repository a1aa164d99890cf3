package mariadb

import (
	"path/filepath"
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/backup"
)

// The configuration of a server changes neither the meaning of a statement, nor what a dump
// and its restore hold, nor how long they may take.
func TestSessionsArePlain(t *testing.T) {
	t.Parallel()
	s, _ := running(t, 41, "--sql-mode=ANSI,TRADITIONAL,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH", "--autocommit=0", "--completion-type=CHAIN",
		"--transaction-isolation=SERIALIZABLE", "--loose-innodb-snapshot-isolation=ON", "--max-statement-time=0.2", "--idle-transaction-timeout=1",
		"--wait-timeout=1", "--default-storage-engine=Aria", "--skip-character-set-client-handshake", "--character-set-server=latin1")
	for _, query := range []string{
		"CREATE DATABASE odd",
		`CREATE TABLE odd.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARBINARY(300), c CHAR(20) CHARACTER SET utf8mb4, d DATE)`,
		`INSERT INTO odd.t (v, c) VALUES ('\0\'"\\\n', "für 象"), (NULL, 'short')`,
		"CREATE TABLE odd.last (id INT)",
		"INSERT INTO odd.last VALUES (1)",
	} {
		must(t, exec1(t, s, query))
	}
	for query, want := range map[string]string{
		"SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_NAME = 'last'":  "InnoDB",
		"SELECT HEX(c) FROM odd.t WHERE id = 1":                                   "66C3BC7220E8B1A1",
		"SELECT c FROM odd.t WHERE id = 2":                                        "short",
		"SELECT SLEEP(0.5)":                                                       "0",
		"SELECT CONCAT_WS(' ', @@autocommit + 0, @@wait_timeout, @@tx_isolation)": "1 86400 REPEATABLE-READ",
	} {
		var got string
		if err := s.db.QueryRowContext(t.Context(), query).Scan(&got); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", query, got, err, want)
		}
	}
	b, err := s.Dump(t.Context(), "odd", filepath.Join(t.TempDir(), "d"), tenants.Backup{})
	must(t, err)
	must(t, exec1(t, s, "DELETE FROM odd.t"))
	read, err := backup.Open(b.File)
	must(t, err)
	must(t, s.Restore(t.Context(), read, sure)) // it compares what it restored
	r, err := s.Rights(t.Context())
	must(t, err)
	if len(r.Privileges) == 0 {
		t.Errorf("no privilege was read of %+v", r)
	}
}
