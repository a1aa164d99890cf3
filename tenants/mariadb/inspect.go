package mariadb

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/mariadb/schema"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/process"
)

// Inspection describes the contents of a server, read by a fixed number of queries.
type Inspection struct {
	Version   string
	Databases map[string]*Found // by name; without the server's own
	Accounts  []AccountFound    // sorted by name
	Others    map[string]bool   // databases of other farms, by name
	Marks     bool              // the server stores the marks of databases
	// Snapshots is set if innodb_snapshot_isolation is on, MariaDB's default from 11.6.2: a
	// transaction fails with error 1020 when it writes a row that changed since it began.
	Snapshots bool
	Replication
}

// Found describes a database on a server.
type Found struct {
	Farm   string // from its mark; empty: none
	Schema schema.Schema
	Level  mediawiki.Level
	Bytes  int64 // size of its files; 0 if the server does not report it
	Jobs   int64 // in MediaWiki's job queue, estimated from InnoDB's statistics
}

// Has reports whether the database has a table, or a column named as "table.column".
func (f *Found) Has(name string) bool {
	table, column, isColumn := strings.Cut(name, ".")
	shape, found := f.Schema[table]
	return found && (!isColumn || shape.HasColumn(column))
}

// Inspect reads the state of a server without opening a table, taking a lock or waiting
// for one.
func (s *Server) Inspect(ctx context.Context) (*Inspection, error) {
	i := &Inspection{Version: s.Version, Marks: s.isMariaDB() && s.farmID() != "", Databases: map[string]*Found{}}
	schemas, err := s.Schemas(ctx)
	if err != nil {
		return nil, err
	}
	farms, err := s.farmsOf(ctx, "")
	if err != nil {
		return nil, err
	}
	columns, err := s.otherColumns(ctx, schemas.unknown())
	if err != nil {
		return nil, err
	}
	if i.Others, err = s.others(ctx, farms); err != nil {
		return nil, err
	}
	for name, farm := range farms {
		if !tenants.ServerOwns(name) {
			i.Databases[name] = &Found{Farm: farm, Schema: schemas[name], Level: levelOf(schemas[name], name, columns)}
		}
	}
	if err := s.measure(ctx, i.Databases); err != nil {
		return nil, err
	}
	if i.Accounts, err = s.accountsFound(ctx); err != nil {
		return nil, err
	}
	if i.Snapshots, err = s.snapshots(ctx); err != nil {
		return nil, err
	}
	i.Replication, err = s.lag(ctx)
	return i, err
}

// levelOf returns the MediaWiki version of a schema. more has the columns of tables that
// InnoDB does not know.
func levelOf(s schema.Schema, database string, more map[place]bool) mediawiki.Level {
	names := map[string]bool{}
	for table := range s {
		names[table] = true
	}
	for _, m := range mediawiki.Markers {
		if m.Column == "" {
			continue
		}
		if s[m.Table].HasColumn(m.Column) || more[place{database, m.Table, m.Column}] {
			names[m.Table+"."+m.Column] = true
		}
	}
	return mediawiki.LevelOf(names)
}

// unknown lists the markers' columns in tables of which only the name is known.
func (all schemas) unknown() []place {
	var places []place
	for database, s := range all {
		for _, m := range mediawiki.Markers {
			if shape, found := s[m.Table]; found && shape == schema.Unknown && m.Column != "" {
				places = append(places, place{database, m.Table, m.Column})
			}
		}
	}
	return places
}

// measure reads the sizes of databases and their job queues. mysql.innodb_table_stats has
// InnoDB's last count, which is renewed when a tenth of a table has changed.
func (s *Server) measure(ctx context.Context, databases map[string]*Found) error {
	_, _, sizes := s.factQueries(nil)
	queries := map[string]func(*Found, int64){
		sizes: func(f *Found, n int64) { f.Bytes = n },
		"SELECT database_name, CAST(n_rows AS SIGNED) FROM mysql.innodb_table_stats WHERE table_name = 'job'": func(f *Found, n int64) { f.Jobs = n },
	}
	for query, keep := range queries {
		err := s.records(ctx, query, func(_ []string, fields []sql.RawBytes) error {
			f := databases[string(fields[0])]
			if f == nil || fields[1] == nil {
				return nil
			}
			n, err := strconv.ParseInt(string(fields[1]), 10, 64)
			keep(f, n)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lag checks twice whether replicas are behind: recent writes may still be on their way.
func (s *Server) lag(ctx context.Context) (Replication, error) {
	r, err := s.Replication(ctx)
	if err != nil || len(r.Behind) == 0 {
		return r, err
	}
	if err := process.Pause(ctx, time.Second); err != nil {
		return r, err
	}
	return s.Replication(ctx)
}

// Recount counts the queued jobs of the databases whose estimate is at least about,
// exactly and by one query, for the perQuery largest of them. It keeps the estimates if
// that fails, as when a table is locked.
func (s *Server) Recount(ctx context.Context, i *Inspection, about int64) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(i.Databases)) {
		if i.Databases[name].Jobs >= about {
			names = append(names, name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return int(i.Databases[b].Jobs - i.Databases[a].Jobs) })
	counts, err := s.QueuedJobs(ctx, names[:min(len(names), perQuery)])
	if err != nil {
		return
	}
	for name, n := range counts {
		i.Databases[name].Jobs = n
	}
}
