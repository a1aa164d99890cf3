package tenants

import "slices"

// ServersOf lists the servers of tenants, without duplicates, in their order. A tenant
// without a definition has none.
func ServersOf(list []*Tenant) []*Server {
	var servers []*Server
	for _, t := range list {
		if t.Server != nil && !slices.Contains(servers, t.Server) {
			servers = append(servers, t.Server)
		}
	}
	return servers
}

// Label names a server in messages: "server main", or "replica db2.example.org of server
// main".
func (s *Server) Label() string {
	if s.Primary != nil {
		return "replica " + s.Host() + " of server " + s.Primary.Name
	}
	return "server " + s.Name
}

// PasswordName returns the name of the server whose password in the environment a server has:
// a replica without a file of its own has its primary's.
func (s *Server) PasswordName() string {
	if s.Primary != nil && s.PasswordFile == s.Primary.PasswordFile {
		return s.Primary.Name
	}
	return s.Name
}

// Host returns the address of a server in its DSN, such as "db2.example.org:3307" or the
// path of a socket.
func (s *Server) Host() string {
	if m := dsnAddress.FindStringSubmatch(s.DSN); m != nil {
		return m[2]
	}
	return s.DSN
}

// ServerOwns reports whether a database is one of MariaDB's or MySQL's own.
func ServerOwns(database string) bool {
	switch database {
	case "information_schema", "mysql", "performance_schema", "sys":
		return true
	}
	return false
}
