package ledger

import (
	"context"
	"fmt"
	"strings"
)

// Took is a past upgrade with its census and the durations of its steps.
type Took struct {
	Old, New               string
	Census                 []byte  // as passed to SetChanging
	Backup, Update, Others float64 // seconds
}

// mostTook is the number of upgrades from which the machine's speed is estimated.
const mostTook = 300

// Took reads the latest successful upgrades that completed in one run. Their steps have
// names: that of the dump, that of the updater, and those during which the wiki was open.
func (l *Ledger) Took(ctx context.Context, backup, update string, open []string) (all []Took, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read from the ledger how long upgrades took: %w", err)
		}
	}()
	const seconds = `COALESCE((SELECT SUM(s.seconds) FROM step s WHERE s.tenant = u.tenant AND s.run = u.run AND s.error IS NULL AND s.step `
	args := []any{backup, update, backup, update}
	for _, step := range open {
		args = append(args, step)
	}
	rows, err := l.db.QueryContext(ctx, `SELECT u.old_version, u.new_version, c.counts, `+seconds+`= ?), 0), `+seconds+`= ?), 0), `+
		seconds+`NOT IN (?, ?`+strings.Repeat(", ?", len(open))+`)), 0)
		FROM upgrade u JOIN census c ON c.tenant = u.tenant AND c.run = u.run
		WHERE u.phase = 'upgraded' ORDER BY u.started DESC LIMIT ?`, append(args, mostTook)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t Took
		if err := rows.Scan(&t.Old, &t.New, &t.Census, &t.Backup, &t.Update, &t.Others); err != nil {
			return nil, err
		}
		if t.Update > 0 { // otherwise the steps are another run's
			all = append(all, t)
		}
	}
	return all, rows.Err()
}
