package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wikictl/php"
	"wikictl/tenants/fleet"
	"wikictl/tenants/mariadb"
)

// Rehearsal is the result of MediaWiki's updater on scratch copies of a wiki's tables. It
// is valid for every wiki of the same kind: with the same tables, earlier updates, code
// and settings.
type Rehearsal struct {
	Old     string   `json:"old"` // version of MediaWiki
	New     string   `json:"new"`
	Tenants []string `json:"tenants"`       // for which it is valid
	Joined  bool     `json:"joined"`        // joined statements and remembered answers have the same result as the updater's own
	Why     string   `json:"why,omitempty"` // why they are not used
	Changes int      `json:"changes"`       // statements of the updater that change tables
	Sent    int      `json:"sent"`          // number of joined statements
	Seconds float64  `json:"seconds"`       // duration
	Earlier bool     `json:"earlier"`       // it was made by an earlier run

	fingerprint string
	after       mariadb.Definitions // at the end of the updater, without next numbers
}

// kept is a Rehearsal in the form of the ledger.
type kept struct {
	Rehearsal
	After mariadb.Definitions `json:"after"`
}

// encode encodes a rehearsal without the names of this run's tenants.
func (r *Rehearsal) encode() ([]byte, error) {
	k := kept{Rehearsal: *r, After: r.after}
	k.Tenants = nil
	return json.Marshal(k)
}

// decode decodes the result of encode; nil if it is unusable.
func decode(data []byte, k *kind) *Rehearsal {
	var found kept
	if json.Unmarshal(data, &found) != nil || len(found.After) == 0 {
		return nil
	}
	r := found.Rehearsal
	r.fingerprint, r.after, r.Tenants, r.Earlier = k.fingerprint, found.After, k.names(), true
	return &r
}

// rehearsals are the known results for the kinds of a run.
type rehearsals struct {
	done   map[string]*Rehearsal // by tenant
	failed map[string]error      // by tenant: why the rehearsal failed, or was not made
}

// byFingerprint returns the rehearsals by fingerprint.
func (all rehearsals) byFingerprint() map[string]*Rehearsal {
	found := map[string]*Rehearsal{}
	for _, r := range all.done {
		found[r.fingerprint] = r
	}
	return found
}

// rehearse makes the rehearsals of kinds for which wanted is true, and reads those of
// earlier runs, before any wiki is changed.
func (u *upgrade) rehearse(ctx context.Context, kinds []*kind, wanted func(*kind) bool) rehearsals {
	all := rehearsals{map[string]*Rehearsal{}, map[string]error{}}
	options := fleet.Options[*kind]{ // each runs two updaters at once
		Jobs: max(1, u.o.Jobs/2), PerGroup: (u.o.PerServer + 1) / 2, MaxFailures: fleet.NoLimit, Drain: u.o.Drain,
		Group: func(k *kind) string { return k.example().tenant.Server.Name },
	}
	results := fleet.Run(ctx, kinds, options, func(ctx context.Context, k *kind) (*Rehearsal, error) {
		return u.rehearseKind(ctx, k, wanted(k))
	})
	for _, r := range results {
		for _, j := range r.Item.tenants {
			switch {
			case r.Err != nil:
				all.failed[j.Name] = r.Err
			case r.Value != nil:
				all.done[j.Name] = r.Value
			}
		}
	}
	return all
}

// rehearseKind reads the rehearsal of a kind from the ledger or, if wanted, makes it; a lock
// keeps two runs from making the same one. It returns nil if none exists.
func (u *upgrade) rehearseKind(ctx context.Context, k *kind, wanted bool) (*Rehearsal, error) {
	if r, err := u.earlier(ctx, k); r != nil || err != nil || !wanted {
		return r, err
	}
	j := k.example()
	run := ctx
	ctx, done := u.While(run, j.tenant)
	defer done()
	lock := rehearsalLock(k.fingerprint)
	if err := u.await(ctx, j, lock); err != nil {
		return nil, err
	}
	defer u.clear(run, k, lock)
	if r, err := u.earlier(ctx, k); r != nil || err != nil {
		return r, err
	}
	var r *Rehearsal
	u.o.Observer.Step(j.Name, "rehearsal")
	start := time.Now()
	err := u.run.Shared(j.Name, "rehearsal", func() (err error) {
		r, err = u.perform(ctx, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.Old, r.New, r.Seconds = j.row.Version, j.tenant.Codebase.Version, time.Since(start).Seconds()
	r.fingerprint, r.Tenants = k.fingerprint, k.names()
	data, err := r.encode()
	if err != nil {
		return nil, err
	}
	return r, u.ledger.KeepRehearsal(ctx, k.fingerprint, j.tenant.ComponentSet(j.tenant.Codebase), u.RunID, data)
}

func rehearsalLock(fingerprint string) string { return "rehearsal " + fingerprint }

func (u *upgrade) earlier(ctx context.Context, k *kind) (*Rehearsal, error) {
	data, err := u.ledger.Rehearsal(ctx, k.fingerprint)
	if err != nil || data == nil {
		return nil, err
	}
	return decode(data, k), nil
}

// await takes the lock of a rehearsal. If another run holds it, await reports that once
// and waits until that run has ended or made the rehearsal.
func (u *upgrade) await(ctx context.Context, j *Planned, lock string) error {
	return u.Await(ctx, j.tenant.Server, lock, u.o.Drain, func(holder string) string {
		return fmt.Sprintf("%s: waiting for another run (%s), which rehearses the same upgrade", j.Name, holder)
	})
}

// perform runs the updater on two scratch copies, once unchanged and once in the fast
// way, and compares the results.
func (u *upgrade) perform(ctx context.Context, k *kind) (*Rehearsal, error) {
	gate, err := u.Gate(k.example().tenant.Server)
	if err != nil {
		return nil, err
	}
	sample, err := u.sample(ctx, k)
	if err != nil {
		return nil, err
	}
	plain := &scratch{kind: k, way: "plain", statements: php.Statements{Gate: gate}}
	fast := &scratch{kind: k, way: "joined", statements: php.Statements{Gate: gate, Join: true, Remember: true}}
	errs := u.try(ctx, sample, plain, fast)
	if errs[0] != nil {
		return u.withoutRows(ctx, sample, plain, errs[0])
	}
	r := &Rehearsal{after: plain.tables.WithoutNumbers(), Changes: plain.counts.Altering, Sent: fast.counts.Sent}
	if errs[1] != nil {
		r.Why = "the updater fails with joined statements: " + errs[1].Error()
		return r, ctx.Err()
	}
	if !fast.counted {
		r.Why = "this PHP can't fork (it lacks pcntl, posix or FFI)"
		return r, ctx.Err()
	}
	found := differences(plain, fast)
	if len(found) > 0 && len(plain.tables.WithoutNumbers().Differences(fast.tables.WithoutNumbers())) == 0 {
		// Rows into which the updater writes a time or a random value also differ between
		// two unchanged runs.
		second := &scratch{kind: k, way: "again", statements: plain.statements}
		if err := u.try(ctx, sample, second)[0]; err != nil {
			return nil, err
		}
		itself := differences(plain, second)
		found = slices.DeleteFunc(found, func(what string) bool { return slices.Contains(itself, what) })
	}
	r.Joined, r.Why = len(found) == 0, strings.Join(found, "; ")
	return r, ctx.Err()
}

// withoutRows runs the updater on empty tables after it failed on a sample, whose rows may
// refer to rows outside of the sample. If it fails again, the rows are not the cause.
func (u *upgrade) withoutRows(ctx context.Context, sample *mariadb.Golden, plain *scratch, why error) (*Rehearsal, error) {
	if !errors.As(why, new(*php.JobError)) || ctx.Err() != nil {
		return nil, why
	}
	empty := &scratch{kind: plain.kind, way: "empty", statements: plain.statements}
	if err := u.try(ctx, sample.Only("updatelog"), empty)[0]; err != nil {
		return nil, why
	}
	return &Rehearsal{
		after: empty.tables.WithoutNumbers(), Changes: empty.counts.Altering, Sent: empty.counts.Altering,
		Why: "the updater fails on a part of the rows: " + why.Error(),
	}, nil
}

// differences lists the differences between two copies that began equal: definitions of
// tables, values of AUTO_INCREMENT, numbers of rows, and rows.
func differences(a, b *scratch) []string {
	found := a.tables.WithoutNumbers().Differences(b.tables.WithoutNumbers())
	if len(found) > 0 {
		return found
	}
	for _, table := range a.names() {
		one, other := a.contents[table], b.contents[table]
		switch {
		case one.Rows != other.Rows:
			found = append(found, fmt.Sprintf("table %s: %d rows, not %d", table, other.Rows, one.Rows))
		case one != other:
			found = append(found, fmt.Sprintf("table %s: other rows", table))
		}
		if a.tables[table] != b.tables[table] {
			found = append(found, fmt.Sprintf("table %s: another next number", table))
		}
	}
	return found
}
