package machine

import (
	"context"
	"os"
	"os/user"
	"path/filepath"
	"slices"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/backup/restic"
	"wikictl/tenants/definitions"
	"wikictl/tenants/disk"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/process"
)

// Facts holds what Inspect read of this machine.
type Facts struct {
	Root     bool   // the user is root
	Me       string // the user's name
	Systemd  bool   // systemd runs the services
	Apt      bool   // Debian's apt-get installs packages
	MariaDB  bool   // the distribution's service of MariaDB is installed
	Machine  tenants.Machine
	Programs map[string]string // by the names that needed lists: absolute paths, or empty
	PHP      map[string]PHP    // by program
	FPM      FPM
	Web      WebServer
	WebUser  string           // of nginx's workers; empty: unknown
	Probe    error            // why a connection to web.probe failed; nil: it was accepted
	Servers  map[string]Store // by name
	Replicas map[*tenants.Server]mariadb.Replica
	Barred   []Barred // folders and files that the web server or PHP can't reach
	Restic   *Restic  // nil: the farm has no repository
	Disks    []Disk
	Units    []Unit // of systemd
	Files    uint64 // limit of open files per process
	Clock    bool   // the clock is synchronised
	UserErr  error  // why the user web.user was not found
}

// PHP is a PHP command line program.
type PHP struct {
	php.Platform
	Err error // why it did not report its version
}

// Store is a database server as its administrator sees it.
type Store struct {
	Err     error // why it can't be reached; the other fields are empty then
	Version string
	Rights  mariadb.Rights
	Limits  mariadb.Limits
}

// Disk is a file system that a farm writes to.
type Disk struct {
	Path   string // the folder on it
	What   string // such as "state"
	Free   int64  // bytes
	Inodes int64  // free inodes; 0: the file system has no limit
	// ReadOnly reports whether it is mounted read-only, as the kernel does after an error of the disk.
	ReadOnly bool
}

// Connect connects to a server without starting it.
type Connect func(context.Context, *tenants.Server) (*mariadb.Server, error)

// Inspect reads the machine's state for a farm. Errors are in the facts.
func Inspect(ctx context.Context, f *tenants.Farm, connect Connect) Facts {
	facts := Facts{
		Root: os.Geteuid() == 0, Machine: definitions.ThisMachine(), Programs: map[string]string{},
		Systemd: disk.IsFolder("/run/systemd/system"), MariaDB: isFile("/etc/init.d/mariadb") || isFile("/lib/systemd/system/mariadb.service"),
		Web: ReadWeb(ctx, f), Probe: listens(ctx, f.Web.Probe),
		Servers: map[string]Store{}, Replicas: map[*tenants.Server]mariadb.Replica{}, PHP: map[string]PHP{},
		Files: openFiles(), Clock: synchronised(),
	}
	if me, err := user.Current(); err == nil {
		facts.Me = me.Username
	}
	_, err := process.Find("apt-get")
	facts.Apt = err == nil
	for _, name := range needed(f) {
		facts.Programs[name], _ = process.Find(name)
	}
	for _, c := range f.Codebases {
		if _, asked := facts.PHP[c.PHP]; !asked && c.PHP != "" {
			platform, err := php.ReadPlatform(ctx, c.PHP)
			facts.PHP[c.PHP] = PHP{platform, err}
		}
	}
	for name, def := range f.Servers {
		facts.Servers[name] = ask(ctx, def, connect)
		for _, replica := range def.Replicas {
			if facts.Servers[name].Err == nil {
				facts.Replicas[replica] = inspectReplica(ctx, replica, connect)
			}
		}
	}
	facts.FPM = readFPM(ctx, f)
	facts.WebUser = facts.Web.worker()
	if f.Web.User != "" {
		_, facts.UserErr = user.Lookup(f.Web.User)
	}
	others := []string{facts.WebUser}
	if p := facts.FPM.at(f.Web.FPM); p != nil && f.Web.User == "" {
		others = append(others, p.User)
	}
	facts.Barred = NewReach(f, others...).All()
	facts.Restic = readRestic(ctx, f)
	facts.Disks = disks(f, facts)
	facts.Units = units(ctx, facts)
	return facts
}

// ask reads a server's privileges, limits and number of databases.
func ask(ctx context.Context, def *tenants.Server, connect Connect) (s Store) {
	server, err := connect(ctx, def)
	if err != nil {
		return Store{Err: err}
	}
	defer server.Close()
	s.Version = server.Version
	if s.Rights, s.Err = server.Rights(ctx); s.Err == nil {
		s.Limits, s.Err = server.Limits(ctx)
	}
	return s
}

// inspectReplica reads the state of a replica.
func inspectReplica(ctx context.Context, replica *tenants.Server, connect Connect) mariadb.Replica {
	primary, err := connect(ctx, replica.Primary)
	if err != nil {
		return mariadb.Replica{Err: err}
	}
	defer primary.Close()
	server, err := connect(ctx, replica)
	if err != nil {
		return mariadb.Replica{Err: err}
	}
	defer server.Close()
	return server.InspectReplica(ctx, primary)
}

// needed lists the programs that a farm needs, without duplicates and without PHP:
// MariaDB's clients, its server if wikictl runs one, git if extensions are fetched by it,
// restic if it gets backups, and the commands that check and reload the web server.
func needed(f *tenants.Farm) []string {
	names := []string{"mariadb", "mariadb-dump"}
	for _, s := range f.Servers {
		if s.Managed {
			names = append(names, "mariadbd", "mariadb-install-db")
		}
	}
	for _, command := range [][]string{f.Web.Check, f.Web.Reload} {
		for i, word := range command {
			if rest := unprivileged(command[i:]); len(rest) > 0 && (i == 0 || word == rest[0]) {
				names = append(names, rest[0], command[0])
				break
			}
		}
	}
	if slices.ContainsFunc(f.Sources, func(s tenants.Source) bool { return s.Git != "" }) {
		names = append(names, "git")
	}
	if f.Backup.Restic != "" {
		names = append(names, restic.Program)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// existing returns the nearest existing folder at or above a path.
func existing(path string) string {
	for !disk.IsFolder(path) && path != filepath.Dir(path) {
		path = filepath.Dir(path)
	}
	return path
}
