package upgrade

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"wikictl/php"
	"wikictl/templates"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

// sampleRows is the number of rows of each table in a scratch copy: enough to give every
// script of the updater work, and few enough to take no time.
const sampleRows = 50

// scratchLimit is the time limit of the updater on so few rows.
const scratchLimit = 5 * time.Minute

// scratch is a copy of a wiki's tables in a separate database, on which the updater runs
// in one way.
type scratch struct {
	*kind
	way        string
	statements php.Statements

	tables   mariadb.Definitions // at the end of the updater
	contents map[string]backup.Contents
	counts   php.StatementCounts
	counted  bool
	config   string // its LocalSettings.php, once it was upgraded
}

// name returns the name of the copy's folder, log and lock: that of a golden, which no
// tenant has.
func (s *scratch) name() string {
	sum := sha256.Sum256([]byte(s.fingerprint + " " + s.way))
	return tenants.GoldenPrefix + hex.EncodeToString(sum[:8])
}

// names lists the tables to compare.
func (s *scratch) names() (names []string) {
	for table := range s.contents {
		if !slices.Contains(mediawiki.CacheTables(), table) {
			names = append(names, table)
		}
	}
	slices.Sort(names)
	return names
}

// sample reads a part of the example's database.
func (u *upgrade) sample(ctx context.Context, k *kind) (*mariadb.Golden, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lockWait, errLocked)
	defer cancel()
	t := k.example().tenant
	server, err := u.Server(ctx, t.Server)
	if err != nil {
		return nil, err
	}
	return server.TakeSample(ctx, t.Database, sampleRows, "updatelog", mediawiki.CacheTables()...)
}

// try makes scratch copies of a kind, runs the updater on each, and reads the results. The
// errors are in the order of the copies. clear removes them.
func (u *upgrade) try(ctx context.Context, sample *mariadb.Golden, copies ...*scratch) []error {
	k := copies[0].kind
	k.copies = append(k.copies, copies...)
	errs := make([]error, len(copies))
	options := fleet.Options[*scratch]{Jobs: len(copies), MaxFailures: fleet.NoLimit}
	for i, r := range fleet.Run(ctx, copies, options, func(ctx context.Context, s *scratch) (struct{}, error) {
		return struct{}{}, u.tryOne(ctx, sample, s)
	}) {
		errs[i] = r.Err
	}
	return errs
}

// tryOne tries one copy. It records the copy in the ledger first, so that the next run
// removes it after a kill.
func (u *upgrade) tryOne(ctx context.Context, sample *mariadb.Golden, s *scratch) (err error) {
	t := scratchTenant(s.example().tenant, s.name(), u.FarmID())
	server, err := u.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	own := secrets.New("Wikictl", "")
	accounts := session.ExclusiveAccounts(t, own)
	step := func(what string, do func() error) {
		if err == nil {
			err = u.run.Shared(s.example().Name, "rehearsal "+s.way+" "+what, do)
		}
	}
	row := ledger.Scratch{Name: t.Name, Server: t.Server.Name, Fingerprint: s.fingerprint}
	step("note", func() error { return u.ledger.NoteScratch(ctx, row, u.RunID) })
	var config string
	step("database", func() error { return server.EnsureDatabase(ctx, t.Database) })
	step("accounts", func() error { return server.EnsureAccounts(ctx, accounts) })
	step("tables", func() error { return server.Load(ctx, t.Database, sample) })
	step("settings", func() (err error) {
		config, err = u.scratchSettings(t, own)
		return err
	})
	step("update.php", func() error { return u.updateScratch(ctx, t, accounts, config, s) })
	step("compare", func() error { return s.read(ctx, server, t.Database) })
	if err == nil {
		s.config = config
	}
	return err
}

// scratchTenant returns a tenant that exists only while the updater is tried on a copy.
func scratchTenant(example *tenants.Tenant, name, farm string) *tenants.Tenant {
	t := *example
	t.Name, t.Database = name, mariadb.GoldenDatabase(farm, name)
	t.Hosts = []string{"golden.invalid"}
	t.Owner, t.Members, t.Media, t.Viewers = nil, nil, nil, nil
	t.Pool.User = "" // its files belong to the common user
	return &t
}

// scratchSettings writes the settings of the new code, and returns their path.
func (u *upgrade) scratchSettings(t *tenants.Tenant, own secrets.Secrets) (string, error) {
	for _, path := range []string{u.Layout.Wiki(t.Name), u.Layout.L10n(t.MessageSet(t.Codebase)), u.Layout.Cache(t.Name), u.Layout.Temporary()} {
		if err := u.Deploy.MakeFolder(path); err != nil {
			return "", err
		}
	}
	rendered, err := u.Templates.Render(templates.Data{Farm: u.Farm, Tenant: t, Codebase: t.Codebase, Secrets: own})
	if err != nil {
		return "", err
	}
	// The fork server reads a file once and does not notice changes.
	file := filepath.Join(u.Layout.Wiki(t.Name), "rendered-"+rand.Text()[:8]+".php")
	if err := deploy.WriteFile(file, rendered.LocalSettings, 0o600, -1); err != nil {
		return "", err
	}
	return file, u.Give(file)
}

// updateScratch runs the updater on a copy. It keeps the log only of a failure.
func (u *upgrade) updateScratch(ctx context.Context, t *tenants.Tenant, accounts mariadb.Accounts, config string, s *scratch) error {
	job, err := u.updater(t, accounts.Schema)
	if err != nil {
		return err
	}
	job.Config, job.Statements, job.Limit = config, &s.statements, scratchLimit
	if s.statements.Join {
		job.Statements.Messages = u.messagesOf(t)
	}
	log, err := u.script(ctx, s.example().Name, "rehearsal-"+s.way, t.Codebase, job)
	if err != nil {
		return err
	}
	if s.counts, s.counted, err = php.ReadStatementCounts(log); err != nil {
		return err
	}
	return os.Remove(log)
}

// read reads the tables after the updater.
func (s *scratch) read(ctx context.Context, server *mariadb.Server, database string) (err error) {
	if s.tables, err = server.Definitions(ctx, database); err != nil {
		return err
	}
	s.contents, err = server.Contents(ctx, database)
	return err
}

// clear removes the scratch copies of a kind, and then releases the lock under which they
// were made. It does so beside the work of the run, which waits for u.clearing at its end:
// no wiki needs to wait for it.
func (u *upgrade) clear(ctx context.Context, k *kind, lock string) {
	copies, example := k.copies, k.example()
	k.copies = nil
	u.clearing.Go(func() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		defer u.Locks(example.tenant.Server).Release(after, lock)
		u.compile(ctx, copies)
		for _, s := range copies {
			err := u.run.Shared(example.Name, "rehearsal "+s.way+" remove", func() error {
				return u.discard(after, scratchTenant(example.tenant, s.name(), u.FarmID()))
			})
			if err != nil {
				u.Say(err.Error())
			}
		}
	})
}

// discard removes a scratch copy: its database unless it has another farm's mark, its
// accounts, its folder, and finally its row in the ledger.
func (u *upgrade) discard(ctx context.Context, t *tenants.Tenant) error {
	server, err := u.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	accounts := session.ExclusiveAccounts(t, secrets.Secrets{})
	for _, do := range []func() error{
		func() error { return server.StopWork(ctx, t.Database, accounts.Schema.Name) },
		func() error { return server.DropOwnDatabase(ctx, accounts) },
		func() error { return server.DropAccounts(ctx, accounts) },
		func() error { return os.RemoveAll(u.Layout.Wiki(t.Name)) },
		func() error { return u.ledger.ForgetScratch(ctx, t.Name) },
	} {
		if err := do(); err != nil {
			return fmt.Errorf("remove the scratch database %s (the next run tries again): %w", t.Database, err)
		}
	}
	return nil
}

// sweep removes the scratch copies of killed runs. It spares those that another run uses.
func (u *upgrade) sweep(ctx context.Context) error {
	rows, err := u.ledger.Scratches(ctx)
	var errs []error
	for _, row := range rows {
		errs = append(errs, u.sweepOne(ctx, row))
	}
	return errors.Join(err, errors.Join(errs...))
}

func (u *upgrade) sweepOne(ctx context.Context, row ledger.Scratch) error {
	def := u.Farm.Servers[row.Server]
	if def == nil {
		return nil // it stays recorded until the server is defined again
	}
	locks := u.Locks(def)
	if locks == nil { // this run does not use that server
		return nil
	}
	lock := rehearsalLock(row.Fingerprint)
	err := locks.Acquire(ctx, lock)
	if errors.As(err, new(*mariadb.LockedError)) {
		return nil // the run that holds it removes it
	}
	if err != nil {
		return err
	}
	defer locks.Release(context.WithoutCancel(ctx), lock)
	return u.discard(ctx, scratchTenant(&tenants.Tenant{Server: def}, row.Name, u.FarmID()))
}
