package ledger

import (
	"context"
	"fmt"
	"time"

	"wikictl/tenants/mariadb"
)

// expireRows is the number of rows that one statement removes: few enough that other statements
// hardly wait.
const expireRows = 2000

// Expire removes rows older than a time: ended upgrades unless a rollback may still need
// them, their acknowledged losses, steps, and ended runs without references, with their
// sessions. A run that has not ended may be a service, and stays. Expire returns the number
// of rows removed, even with an error.
func (l *Ledger) Expire(ctx context.Context, before time.Time) (gone int64, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("remove old rows from the ledger: %w", err)
		}
	}()
	rows, err := l.db.QueryContext(ctx, `SELECT id FROM run WHERE started < ? ORDER BY started`, before.UTC())
	if err != nil {
		return 0, err
	}
	runs, err := mariadb.Column[string](rows)
	for _, run := range runs { // by its index: there are millions of steps
		if err == nil {
			err = l.expire(ctx, &gone, `DELETE FROM step WHERE run = ? AND (ended < ? OR (SELECT finished FROM run WHERE id = step.run) IS NOT NULL)`, run, before.UTC())
		}
	}
	for _, text := range []string{
		`DELETE FROM upgrade WHERE ended < ? AND (tenant, run) NOT IN (SELECT tenant, run FROM (
			SELECT tenant, run FROM upgrade u WHERE NOT EXISTS (SELECT 1 FROM upgrade n WHERE n.tenant = u.tenant AND (n.number, n.started) > (u.number, u.started))
				OR (phase = 'upgraded' AND NOT EXISTS (SELECT 1 FROM upgrade n WHERE n.tenant = u.tenant AND n.phase = 'upgraded' AND (n.number, n.started) > (u.number, u.started)))) AS needed)`,
		`DELETE FROM loss WHERE noted < ? AND (undone = 1 OR acknowledged IS NOT NULL)`,
		`DELETE FROM session WHERE since < ? AND SUBSTRING_INDEX(holder, ', run ', -1) NOT IN (SELECT id FROM run WHERE finished IS NULL)`,
		`DELETE FROM rehearsal WHERE used < ?`,
		`DELETE FROM jobs_run WHERE hour < ?`,
		`DELETE FROM run WHERE started < ? AND finished IS NOT NULL AND id NOT IN (SELECT run FROM upgrade) AND id NOT IN (SELECT run FROM tenant)`,
	} {
		if err == nil {
			err = l.expire(ctx, &gone, text, before.UTC())
		}
	}
	if err == nil {
		_, err = l.db.ExecContext(ctx, `DELETE FROM census WHERE (tenant, run) NOT IN (SELECT tenant, run FROM upgrade)`)
	}
	return gone, err
}

// expire removes rows in small batches and adds their number to gone.
func (l *Ledger) expire(ctx context.Context, gone *int64, text string, args ...any) error {
	for {
		result, err := l.db.ExecContext(ctx, fmt.Sprintf("%s LIMIT %d", text, expireRows), args...)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if *gone += n; err != nil || n < expireRows {
			return err
		}
	}
}

// NeededBackups returns the dumps by which an upgrade may still be undone: those of each
// tenant's open upgrades, of its latest, and of the latest that a rollback would undo.
func NeededBackups(history []Upgrade) map[string]bool {
	latest, undo := map[string]Upgrade{}, map[string]Upgrade{}
	needed := map[string]bool{}
	note := func(r Upgrade) { needed[r.Backup], needed[r.UndoBackup] = true, true }
	for _, r := range history { // in their order
		latest[r.Tenant] = r
		if r.Phase == Upgraded {
			undo[r.Tenant] = r
		}
		if r.Open() {
			note(r)
		}
	}
	for _, rows := range []map[string]Upgrade{latest, undo} {
		for _, r := range rows {
			note(r)
		}
	}
	delete(needed, "")
	return needed
}
