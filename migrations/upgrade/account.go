package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/migrations/upgrade/losses"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
)

// count counts the content of the database before the updater changes it. It keeps the
// counts that an interrupted run made.
func (k *task) count(ctx context.Context) error {
	if !k.plan.code {
		return nil
	}
	if k.plan.Interrupted != "" {
		data, err := k.up.ledger.Census(ctx, k.tenant.Name, k.now.Run)
		if err != nil {
			return err
		}
		if data != nil {
			defer k.recount()
			return json.Unmarshal(data, &k.census)
		}
	}
	return k.countNow(ctx, k.dumped)
}

// countNow counts the content of the database; rows are the counts of its tables, if
// known.
func (k *task) countNow(ctx context.Context, rows map[string]int64) (err error) {
	k.census.Bytes, k.census.Ahead = k.plan.Bytes, k.plan.wiki.Ahead
	k.census.Snapshot, _, err = k.snapshot(ctx, rows, nil)
	k.census.Objects = k.objects
	k.recount()
	return err
}

// changing records that the database is about to change, with the counts.
func (k *task) changing(ctx context.Context) (err error) {
	var census []byte
	if k.plan.code {
		if census, err = json.Marshal(k.census); err != nil {
			return err
		}
	}
	k.now, err = k.up.ledger.SetChanging(ctx, k.now, census)
	return err
}

// snapshot counts the current content of the database. If before, the snapshot from before
// the upgrade, is not nil, it also lists the first ids of the rows that before counts by a
// condition. rows are the counts of the tables, if known.
func (k *task) snapshot(ctx context.Context, rows map[string]int64, before *losses.Snapshot) (s losses.Snapshot, ids map[string][]string, err error) {
	if s.Rows = rows; rows == nil {
		if s.Rows, err = k.server.RowCounts(ctx, k.tenant.Database); err != nil {
			return s, nil, err
		}
	}
	tables, err := k.definitions(ctx)
	if err != nil {
		return s, nil, err
	}
	s.Columns, s.Foreign = tables.Columns(losses.Columns()), losses.Foreign(tables.ColumnsOf)
	s.Counts, ids = map[string]int64{}, map[string][]string{}
	for _, c := range losses.Conditions(s, before) {
		where := strings.ReplaceAll(c.Where, losses.Database, mariadb.Quote(k.tenant.Database))
		s.Counts[c.Name], ids[c.Name], err = k.server.CountWhere(ctx, k.tenant.Database, c.Table, where, c.ID, losses.MostIDs+1)
		if err != nil {
			return s, nil, err
		}
	}
	return s, ids, nil
}

// account compares the content of the database after the updater with the earlier counts,
// and records the losses.
func (k *task) account(ctx context.Context) error {
	if !k.plan.code {
		return nil
	}
	after, ids, err := k.snapshot(ctx, nil, &k.census.Snapshot)
	if err != nil {
		return err
	}
	if len(k.census.Objects) > 0 {
		if after.Objects, err = k.server.UsableObjects(ctx, k.tenant.Database); err != nil {
			return err
		}
	}
	k.same = k.same && sameRows(k.census.Rows, after.Rows)
	skipped, err := k.skipped()
	if err != nil {
		return err
	}
	list := losses.Compare(k.census.Snapshot, after, skipped)
	losses.Identify(list, ids)
	k.losses = nil
	for _, l := range list {
		k.losses = append(k.losses, ledger.Loss{Tenant: k.tenant.Name, Run: k.now.Run, Table: l.Table, Rows: l.Rows, What: l.String(), Backup: k.now.Backup})
	}
	if len(list) == 0 && k.plan.Interrupted == "" { // nothing was recorded before
		return nil
	}
	return k.up.ledger.NoteLosses(ctx, k.tenant.Name, k.now.Run, k.losses)
}

// sameRows reports whether each table except caches has as many rows as before. That
// includes the updater's own table of updates, which has a row for each update made.
func sameRows(before, after map[string]int64) bool {
	caches := mediawiki.CacheTables()
	for table, n := range before {
		if now, found := after[table]; (!found || now != n) && !slices.Contains(caches, table) {
			return false
		}
	}
	return len(before) == len(after)
}

// updateLog returns the log of the updater.
func (k *task) updateLog() string {
	return filepath.Join(k.up.Layout.Logs(k.tenant.Name), k.up.RunID+"-"+stepUpdate+".log")
}

// skipped returns the lines in which the updater says that it skipped something.
func (k *task) skipped() ([]string, error) {
	f, err := os.Open(k.updateLog())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	skipped, err := losses.Skipped(f)
	if err != nil {
		return nil, fmt.Errorf("read what update.php printed: %w", err)
	}
	return skipped, nil
}

// lost returns the losses of the upgrade that this run ended, as recorded by it or by an
// interrupted run.
func (k *task) lost(ctx context.Context) []ledger.Loss {
	if k.losses != nil || k.plan.Interrupted == "" || k.now.Phase != ledger.Upgraded {
		return k.losses
	}
	list, err := k.up.ledger.LossesOf(context.WithoutCancel(ctx), k.tenant.Name, k.now.Run)
	if err != nil {
		k.note("its losses can't be listed: %s", err)
	}
	return list
}
