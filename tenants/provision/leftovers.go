package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

// leftovers lists the databases, accounts and files of tenants without a definition, from
// the ledger and the state folder. Databases and accounts that the ledger does not list
// are ignored.
func (l *planner) leftovers(ctx context.Context, p *Plan) ([]*Leftover, error) {
	rows := undefined(l.Farm.Tenants, l.rows)
	for _, row := range l.renamed {
		delete(rows, row.Name)
	}
	found := map[string]*Leftover{}
	for name, row := range rows {
		left, err := l.leftover(ctx, row)
		if err != nil {
			return nil, err
		}
		found[name] = left
	}
	names, err := namesOnDisk(l.Layout)
	if errors.Is(err, fs.ErrPermission) {
		p.Unseen, err = append(p.Unseen, "what is left over without a row of the ledger: "+err.Error()), nil
	}
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if l.half.whose(name) != "" {
			continue
		}
		if _, known := l.rows[name]; !known && found[name] == nil && l.Farm.Tenant(name) == nil {
			found[name] = &Leftover{Leftover: plan.Leftover{Name: name}, tenant: &tenants.Tenant{Name: name}}
		}
	}
	var all []*Leftover
	var taken int64
	for _, name := range slices.Sorted(maps.Keys(found)) {
		found[name].addFiles(l.Layout)
		need, err := l.askRoom(ctx, found[name], taken)
		if err != nil {
			return nil, err
		}
		taken += need
		all = append(all, found[name])
	}
	return all, nil
}

// askRoom checks that the files of a leftover have room in the folder of removed tenants,
// after taken bytes, and returns their size.
func (l *planner) askRoom(ctx context.Context, left *Leftover, taken int64) (need int64, err error) {
	if left.Problem != "" {
		return 0, nil
	}
	need, err = l.room(ctx, left.tenant, taken)
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 { // a read-only run need not write there
		return 0, nil
	}
	if err != nil {
		left.Problem = err.Error()
		return 0, ctx.Err()
	}
	return need, nil
}

// room checks that a tenant's files have room in the folder of removed tenants.
func (c *creation) room(ctx context.Context, t *tenants.Tenant, taken int64) (need int64, err error) {
	var dump int64
	if t.Server != nil {
		s, err := c.Server(ctx, t.Server)
		if err != nil {
			return 0, err
		}
		for _, name := range append(session.Names(c.furtherOf(t.Name)), t.Database) {
			size, err := s.DumpSize(ctx, name)
			if err != nil {
				return 0, err
			}
			dump += size
		}
	}
	return c.Deploy.Room(t.Name, dump, taken)
}

// leftover returns the leftover of a row, with its database and accounts on the server.
func (l *planner) leftover(ctx context.Context, row ledger.Tenant) (*Leftover, error) {
	left := &Leftover{Leftover: plan.Leftover{Name: row.Name}, row: row}
	server := l.Farm.Servers[row.Server]
	if server == nil {
		left.tenant = &tenants.Tenant{Name: row.Name, Database: row.Database}
		left.Problem = fmt.Sprintf("its database %s is on server %s, which is no longer defined in wikictl.toml", row.Database, row.Server)
		return left, nil
	}
	left.tenant = &tenants.Tenant{Name: row.Name, Server: server, Database: row.Database, Databases: session.Names(l.furtherOf(row.Name))}
	if t := owner(l.Farm.Tenants, row.Server, row.Database); t != nil {
		left.Problem = fmt.Sprintf("the tenant %s is defined on its database %s", t.Name, row.Database)
	}
	if problem := l.unfinished(row); problem != "" {
		left.Problem = problem
	}
	if err := l.SecretsFault(row.Name); err != nil { // without them, the accounts can't be recognised as the tenant's
		left.Problem = err.Error()
		return left, nil
	}
	if err := l.takeInventory(ctx, server); err != nil {
		left.Problem = err.Error()
		return left, ctx.Err()
	}
	found := l.found[server.Name]
	if found.Databases[row.Database] {
		left.Items = append(left.Items, fmt.Sprintf("database %s on server %s", row.Database, server.Name))
		if err := l.askDump(ctx, left); err != nil {
			return nil, err
		}
	}
	if err := l.addFurther(ctx, left, server); err != nil {
		return nil, err
	}
	accounts := l.AccountsOf(left.tenant)
	holding := found.Of(accounts)
	if err := holding.DatabaseError(l.FarmID(), server.Name, accounts); err != nil && left.Problem == "" {
		left.Problem = err.Error()
	}
	if holding.Web {
		left.Items = append(left.Items, fmt.Sprintf("account %s@%s on server %s", accounts.Web.Name, accounts.Host, server.Name))
	}
	if holding.Schema {
		left.Items = append(left.Items, fmt.Sprintf("account %s@%s on server %s", accounts.Schema.Name, accounts.Host, server.Name))
	}
	for _, foreign := range holding.Foreign {
		left.Kept = append(left.Kept, fmt.Sprintf("account %s on server %s, which does not have the tenant's password", foreign.Name(), server.Name))
	}
	left.Items = append(left.Items, "its rows of the ledger")
	return left, nil
}

// unfinished says what else an interrupted run left of a row to do, and how to finish it; empty if
// nothing.
func (l *planner) unfinished(row ledger.Tenant) (problem string) {
	if row.State == ledger.Returning {
		problem = fmt.Sprintf("it is being brought back, or that was interrupted: wikictl undelete %s finishes it", row.Name)
	}
	again := func(text string) string { // a step before the next one, unless a file defines it
		if row.Name == l.defined {
			return ""
		}
		return text
	}
	if row.State == ledger.Recovering {
		problem = fmt.Sprintf("it is being restored or copied, or that was interrupted: wikictl restore %s finishes it%s", row.Name, again(", once a file defines it"))
	}
	if open := l.open[row.Name]; open.Run != "" && row.State != ledger.Leaving {
		problem = fmt.Sprintf("%s, so its database may fit neither code: %srun %s",
			upgrading(open), again("define it again (as "+filepath.Join(l.Layout.Current(row.Name), definitionFile)+") and "), open.Completion())
	}
	if other := l.half[row.Name]; other != "" {
		problem = fmt.Sprintf("its rename to %s was interrupted: %srun wikictl apply", other, again(fmt.Sprintf("define it again, as %s or %s, and ", other, row.Name)))
	}
	return problem
}

// askDump checks whether a dump could restore the database completely: a removal that
// fails later has withdrawn the wiki for nothing. An interrupted removal may have its
// dump already.
func (l *planner) askDump(ctx context.Context, left *Leftover) error {
	if left.Problem != "" || left.row.State == ledger.Leaving {
		return nil
	}
	s, err := l.Server(ctx, left.tenant.Server)
	if err != nil {
		return err
	}
	for _, name := range append(session.Names(l.furtherOf(left.Name)), left.row.Database) {
		if !l.found[left.tenant.Server.Name].Databases[name] {
			continue
		}
		problems, remarks, err := s.Dumpable(ctx, name)
		if err != nil {
			problems = []string{err.Error()}
		}
		if len(problems) > 0 {
			left.Problem = "it can't be dumped: " + strings.Join(problems, "; ")
		}
		left.Items = append(left.Items, remarks...)
	}
	return ctx.Err()
}

// addFiles lists the leftover's files below the state folder.
func (left *Leftover) addFiles(l tenants.Layout) {
	for _, place := range []func(string) string{l.Vhost, l.Pool, l.Wiki, l.Logs, l.Backups, l.Secrets} {
		if path := place(left.Name); deploy.Exists(path) {
			left.Items = append(left.Items, path)
		}
	}
}

// golden matches the name under which a golden is made.
var golden = regexp.MustCompile(`^golden-[0-9a-f]{16}$`)

// namesOnDisk lists the tenants with a folder or secrets below state.
func namesOnDisk(l tenants.Layout) ([]string, error) {
	wikis, err := disk.Folders(l.Wikis())
	if err != nil {
		return nil, err
	}
	secrets, err := os.ReadDir(filepath.Dir(l.Secrets("x")))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, name := range wikis {
		if tenants.ValidName(name) && !golden.MatchString(name) {
			names = append(names, name)
		}
	}
	for _, e := range secrets {
		if name, ok := strings.CutSuffix(e.Name(), ".toml"); ok && e.Type().IsRegular() && tenants.ValidName(name) {
			names = append(names, name)
		}
	}
	return names, nil
}
