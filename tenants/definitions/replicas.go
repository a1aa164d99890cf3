package definitions

import (
	"strings"

	"wikictl/tenants"
)

// Values of a replica that no file sets. MediaWiki's own limit of lag is 6 seconds, too
// (ServerInfo::MAX_LAG_DEFAULT).
const (
	replicaLoad = 100
	replicaLag  = 6
	replicaWait = 600
)

// mostLoad bounds the share of reads of a server.
const mostLoad = 1_000_000

// readReplicas reads the replicas of a server, and its own share of the reads.
func (l *loader) readReplicas(server *tenants.Server, s *section) {
	s.list("replicas", func(at tenants.Position, sub *section) {
		if r := l.readReplica(server, at, sub); r != nil {
			server.Replicas = append(server.Replicas, r)
			server.Load += r.Load
		}
	})
	server.Load, server.ReplicaWait = (server.Load+1)/2, replicaWait
	s.number("load", &server.Load, bound{0, mostLoad})
	s.number("replica_wait", &server.ReplicaWait, bound{1, 86_400})
	replicas, has := s.table["replicas"]
	for _, key := range []string{"load", "replica_wait"} {
		if v, stated := s.table[key]; stated && !has {
			s.report(v.Position, key, "remove it, or name replicas", "is for a server with replicas only")
		}
	}
	if has && server.Managed {
		s.report(replicas.Position, "replicas", "run the server yourself, with log_bin and a server_id, and name its dsn", "a managed server writes no log that a server could replicate")
	}
}

// readReplica reads one replica of a server; nil if it has mistakes.
func (l *loader) readReplica(server *tenants.Server, at tenants.Position, s *section) *tenants.Server {
	before := len(*s.problems)
	dsn, password := s.text("dsn"), s.text("password_file")
	r := &tenants.Server{
		DSN: dsn.value, PasswordFile: l.path(password.value), AccountHost: server.AccountHost,
		Primary: server, Load: replicaLoad, MaxLag: replicaLag, Position: at,
	}
	s.number("load", &r.Load, bound{1, mostLoad})
	s.number("max_lag", &r.MaxLag, bound{1, 86_400})
	s.end()
	if !dsn.set() && s.table["dsn"].Data == nil {
		s.report(at, "dsn", `such as dsn = "root@tcp(db2.example.org)/"`, "is missing: how to connect to the replica")
	}
	if s.checkDSN(dsn); len(*s.problems) > before {
		return nil
	}
	if r.PasswordFile == "" {
		r.PasswordFile = server.PasswordFile
	}
	r.Name = server.Name + " replica " + r.Host()
	own, _ := r.Address(tenants.Layout{})
	for _, other := range append([]*tenants.Server{server}, server.Replicas...) {
		if address, ok := other.Address(tenants.Layout{}); ok && address == own {
			s.report(dsn.at, "dsn", "name each server once", "%q is the address of the %s", r.Host(), other.Label())
			return nil
		}
	}
	if server.AccountHost == "localhost" && !strings.HasPrefix(own, "localhost:/") {
		s.report(dsn.at, "dsn", `account_host = "%" in [servers.`+server.Name+`], and wikictl apply makes the accounts`, "it is reached over the network, but the wikis' accounts are for localhost only")
		return nil
	}
	return r
}
