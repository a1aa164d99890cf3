package mariadb

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Every row is filled once, whatever gaps and crowds its ranges have, and each can end it.
func TestFillOnline(t *testing.T) {
	database(t, "online")
	must(t, exec1(t, shared, "CREATE TABLE online.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, page INT, n INT NOT NULL DEFAULT 0, KEY (page))"))
	must(t, exec1(t, shared, fmt.Sprintf("INSERT INTO online.t (page) SELECT 7 FROM online.seq_1_to_%d UNION ALL SELECT seq + 1000000 FROM online.seq_1_to_%d UNION ALL SELECT -5 UNION ALL SELECT 2000000000", 2*onlineRows+3, onlineRows)))
	var shares []float64
	must(t, shared.FillOnline(t.Context(), "online", "t", "page", []string{"UPDATE t SET n = n + 1 WHERE page BETWEEN ? AND ?"}, func(share float64) error { shares = append(shares, share); return nil }))
	var rows, once int
	must(t, shared.db.QueryRowContext(t.Context(), "SELECT COUNT(*), SUM(n = 1) FROM online.t").Scan(&rows, &once))
	if rows != 3*onlineRows+5 || once != rows || len(shares) < 2 || shares[len(shares)-1] != 1 {
		t.Errorf("%d of %d rows were filled once, by ranges that end at %v", once, rows, shares)
	}
	stop := errors.New("stop")
	if err := shared.FillOnline(t.Context(), "online", "t", "page", []string{"UPDATE t SET n = 5 WHERE page BETWEEN ? AND ?"}, func(float64) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("it ended by %v", err)
	}
	must(t, exec1(t, shared, "CREATE TABLE online.empty (page INT)"))
	must(t, shared.FillOnline(t.Context(), "online", "empty", "page", []string{"none"}, func(float64) error { return stop }))
}

// A table is changed at once or not at all, and nobody is kept waiting: what can only be
// copied is refused, and who reads a table in a transaction is waited for in short tries.
func TestAlterOnline(t *testing.T) {
	database(t, "altered")
	must(t, exec1(t, shared, "CREATE TABLE altered.t (id INT PRIMARY KEY, KEY k (id))"))
	must(t, exec1(t, shared, "CREATE TABLE altered.old (id INT PRIMARY KEY) ENGINE=MyISAM"))
	if err := shared.AlterOnline(t.Context(), "altered", "old", []string{"ADD a INT"}); err == nil {
		t.Error("a table of MyISAM was copied")
	}
	if err := shared.AlterOnline(t.Context(), "altered", "t", []string{"ADD a INT", "ADD KEY a (nothing)"}); err == nil {
		t.Error("an index of no column was made")
	}
	reader, err := shared.db.Conn(t.Context())
	must(t, err)
	defer reader.Close()
	for _, q := range []string{"START TRANSACTION", "SELECT * FROM altered.t"} {
		_, err := reader.ExecContext(t.Context(), q)
		must(t, err)
	}
	done := make(chan error, 1)
	go func() {
		done <- shared.AlterOnline(t.Context(), "altered", "t", []string{"DROP KEY k", "ADD a INT", "ADD KEY k (id)"})
	}()
	select {
	case err := <-done:
		t.Errorf("it did not wait: %v", err)
	case <-time.After(onlineWait*time.Second + time.Second):
	}
	must(t, exec1(t, shared, "INSERT INTO altered.t (id) VALUES (1)")) // nobody waits behind it for long
	_, err = reader.ExecContext(t.Context(), "COMMIT")
	must(t, err)
	must(t, <-done)
	var name, create string
	must(t, shared.db.QueryRowContext(t.Context(), "SHOW CREATE TABLE altered.t").Scan(&name, &create))
	if !strings.Contains(create, "`a` int") || strings.Count(create, "KEY `k`") != 1 {
		t.Error(create)
	}
}
