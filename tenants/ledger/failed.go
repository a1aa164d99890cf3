package ledger

import (
	"context"
	"fmt"

	"wikictl/tenants/mariadb"
)

// FailedIn lists the tenants with a failed step in a run.
func (l *Ledger) FailedIn(ctx context.Context, run string) ([]string, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT DISTINCT tenant FROM step WHERE run = ? AND error IS NOT NULL AND tenant <> ''`, run)
	if err != nil {
		return nil, fmt.Errorf("read the steps of run %s from the ledger: %w", run, err)
	}
	return mariadb.Column[string](rows)
}
