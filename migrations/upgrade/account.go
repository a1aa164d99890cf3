package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"wikictl/migrations/upgrade/losses"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
)

// count counts what the database holds before the updater changes it. What an interrupted
// run counted before it began stays.
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

// countNow counts what the database holds; rows are those of its tables where they are
// known.
func (k *task) countNow(ctx context.Context, rows map[string]int64) (err error) {
	k.census.Bytes, k.census.Ahead = k.plan.Bytes, k.plan.wiki.Ahead
	k.census.Snapshot, _, err = k.snapshot(ctx, rows, nil)
	k.recount()
	return err
}

// changing writes that the database is about to be changed, and what was counted.
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

// snapshot counts what the database holds now, and lists the first ids of the rows that
// before makes it count by a condition. rows are those of its tables where they are known;
// before is what was counted before the upgrade, or nil.
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
	s.Columns = tables.Columns(losses.Columns())
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

// account compares what the database holds after the updater ran with before, and notes
// what was left out.
func (k *task) account(ctx context.Context) error {
	if !k.plan.code {
		return nil
	}
	after, ids, err := k.snapshot(ctx, nil, &k.census.Snapshot)
	if err != nil {
		return err
	}
	said, err := k.said()
	if err != nil {
		return err
	}
	list := losses.Compare(k.census.Snapshot, after, said)
	losses.Identify(list, ids)
	k.losses = nil
	for _, l := range list {
		k.losses = append(k.losses, ledger.Loss{Tenant: k.tenant.Name, Run: k.now.Run, Table: l.Table, Rows: l.Rows, What: l.String(), Backup: k.now.Backup})
	}
	if len(list) == 0 && k.plan.Interrupted == "" { // nothing was noted before
		return nil
	}
	return k.up.ledger.NoteLosses(ctx, k.tenant.Name, k.now.Run, k.losses)
}

// updateLog is where the updater prints.
func (k *task) updateLog() string {
	return filepath.Join(k.up.Layout.Logs(k.tenant.Name), k.up.RunID+"-"+stepUpdate+".log")
}

// said are the lines by which the updater said that it skipped something.
func (k *task) said() ([]string, error) {
	f, err := os.Open(k.updateLog())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	said, err := losses.Said(f)
	if err != nil {
		return nil, fmt.Errorf("read what update.php printed: %w", err)
	}
	return said, nil
}

// lost is what the upgrade that this run ended left out: what it noted, or an interrupted
// run did.
func (k *task) lost(ctx context.Context) []ledger.Loss {
	if k.losses != nil || k.plan.Interrupted == "" || k.now.Phase != ledger.Upgraded {
		return k.losses
	}
	list, err := k.up.ledger.LossesOf(context.WithoutCancel(ctx), k.tenant.Name, k.now.Run)
	if err != nil {
		k.note("what it left out can't be said: %s", err)
	}
	return list
}
