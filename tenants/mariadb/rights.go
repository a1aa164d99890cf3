package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Rights are the global privileges of an administrator's account.
type Rights struct {
	Account    string   // as the server returns it, such as "root@localhost"
	Privileges []string // as GRANT spells them; "ALL PRIVILEGES" stands for all
	Grants     bool     // WITH GRANT OPTION
	Known      []string // all privileges of this server version, in capital letters
}

// neededRights lists the global privileges that wikictl requires to make, inspect, dump,
// restore and remove wikis. An account can grant ALL PRIVILEGES on a database only if it
// has each of them; DELETE HISTORY and SHOW CREATE ROUTINE exist in newer MariaDBs only.
var neededRights = []string{
	"ALTER", "ALTER ROUTINE", "CREATE", "CREATE ROUTINE", "CREATE TEMPORARY TABLES", "CREATE USER", "CREATE VIEW", "DELETE", "DELETE HISTORY", "DROP", "EVENT", "EXECUTE",
	"INDEX", "INSERT", "LOCK TABLES", "PROCESS", "REFERENCES", "RELOAD", "SELECT", "SHOW CREATE ROUTINE", "SHOW DATABASES", "SHOW VIEW", "SUPER", "TRIGGER", "UPDATE",
}

// Missing lists the privileges that the account lacks, as GRANT spells them. On a server with
// replicas it also needs the privilege to read their lag, in order to grant it.
func (r Rights) Missing(replicas bool) []string {
	var missing []string
	if !slices.Contains(r.Privileges, "ALL PRIVILEGES") {
		for _, p := range neededRights {
			if slices.Contains(r.Known, p) && !slices.Contains(r.Privileges, p) {
				missing = append(missing, p)
			}
		}
		if lag := lagGrant.Privileges[0]; replicas && !slices.Contains(r.Privileges, lag) {
			missing = append(missing, lag)
		}
	}
	if !r.Grants {
		missing = append(missing, "GRANT OPTION")
	}
	return missing
}

// globalGrant matches a line of SHOW GRANTS with global privileges.
var globalGrant = regexp.MustCompile(`^GRANT (.+) ON \*\.\* TO `)

// add parses a line of SHOW GRANTS.
func (r *Rights) add(line string) {
	m := globalGrant.FindStringSubmatch(line)
	if m == nil {
		return
	}
	for _, name := range strings.Split(m[1], ",") {
		if name = strings.TrimSpace(name); name != "USAGE" {
			r.Privileges = append(r.Privileges, name)
		}
	}
	r.Grants = r.Grants || strings.Contains(line, " WITH GRANT OPTION")
}

// Rights reads the privileges of the connected account, including those of its roles.
func (s *Server) Rights(ctx context.Context) (r Rights, err error) {
	if err := s.db.QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&r.Account); err != nil {
		return r, fmt.Errorf("server %s: %w", s.Name, err)
	}
	err = s.records(ctx, "SHOW PRIVILEGES", func(_ []string, fields []sql.RawBytes) error {
		r.Known = append(r.Known, strings.ToUpper(string(fields[0])))
		return nil
	})
	if err != nil {
		return r, err
	}
	err = s.records(ctx, "SHOW GRANTS", func(_ []string, fields []sql.RawBytes) error {
		r.add(string(fields[0]))
		return nil
	})
	return r, err
}

// Limits are the settings of a server that limit the size of a farm.
type Limits struct {
	Connections int64 // max_connections
	Packet      int64 // bytes; max_allowed_packet
	BufferPool  int64 // bytes; innodb_buffer_pool_size
	OpenTables  int64 // table_open_cache
	OpenFiles   int64 // open_files_limit
	ReadOnly    bool
	Snapshots   bool          // as Inspection.Snapshots
	DataFolder  string        // on the server's machine
	Ahead       time.Duration // of the server's clock ahead of this machine's, accurate to about a second
}

// Limits reads the server's settings that limit the size of a farm.
func (s *Server) Limits(ctx context.Context) (l Limits, err error) {
	var now string
	err = s.db.QueryRowContext(ctx, "SELECT @@GLOBAL.max_connections, @@GLOBAL.max_allowed_packet, @@GLOBAL.innodb_buffer_pool_size, @@GLOBAL.table_open_cache, "+
		"@@GLOBAL.open_files_limit, @@GLOBAL.read_only, @@GLOBAL.datadir, DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%d %H:%i:%s')").Scan(
		&l.Connections, &l.Packet, &l.BufferPool, &l.OpenTables, &l.OpenFiles, &l.ReadOnly, &l.DataFolder, &now)
	if err != nil {
		return l, fmt.Errorf("server %s: read its limits: %w", s.Name, err)
	}
	if l.Snapshots, err = s.snapshots(ctx); err != nil {
		return l, err
	}
	at, err := time.Parse(time.DateTime, now)
	l.Ahead = time.Until(at).Round(time.Second)
	return l, err
}

// SnapshotsOff is the option of mariadbd that turns innodb_snapshot_isolation off. Servers
// without that variable ignore it.
const SnapshotsOff = "--loose-innodb-snapshot-isolation=OFF"

// snapshots reports whether innodb_snapshot_isolation is on.
func (s *Server) snapshots(ctx context.Context) (on bool, err error) {
	err = s.records(ctx, "SHOW GLOBAL VARIABLES LIKE 'innodb_snapshot_isolation'", func(_ []string, fields []sql.RawBytes) error {
		on = string(fields[1]) == "ON"
		return nil
	})
	return on, err
}
