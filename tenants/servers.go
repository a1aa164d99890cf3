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

// ServerOwns reports whether a database is one of MariaDB's or MySQL's own.
func ServerOwns(database string) bool {
	switch database {
	case "information_schema", "mysql", "performance_schema", "sys":
		return true
	}
	return false
}
