package observe

import (
	"context"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/session"
)

// Server is the observed state of one server.
type Server struct {
	Err    error // why it is unreachable; the other fields are empty then
	server *mariadb.Server
	*mariadb.Inspection
	ByUser   map[string][]mariadb.AccountFound
	Replicas []mariadb.Replica // in the order of the definition
}

// Account finds an account of a server by name and host.
func (s Server) Account(user, host string) (mariadb.AccountFound, bool) {
	for _, a := range s.ByUser[user] {
		if a.Host == host {
			return a, true
		}
	}
	return mariadb.AccountFound{}, false
}

// ManyJobs is the number of queued jobs from which they probably are not run: a wiki that is
// edited has a few dozen, after a large import some hundred.
const ManyJobs = 1000

// connect connects to every server of the farm.
func connect(ctx context.Context, h *session.Host) map[string]Server {
	states := map[string]Server{}
	for name, def := range h.Farm.Servers {
		s, err := h.Server(ctx, def)
		states[name] = Server{Err: err, server: s}
	}
	return states
}

// inspectServers inspects every server, each by a fixed number of queries.
func inspectServers(ctx context.Context, h *session.Host, states map[string]Server) {
	var defs []*tenants.Server
	for name, def := range h.Farm.Servers {
		if states[name].Err == nil {
			defs = append(defs, def)
		}
	}
	options := fleet.Options[*tenants.Server]{Jobs: len(defs), MaxFailures: fleet.NoLimit}
	shapes := mediawiki.NewShapes(h.Farm.Codebases)
	inspect := func(ctx context.Context, def *tenants.Server) (*mariadb.Inspection, error) {
		s := states[def.Name].server
		i, err := s.Inspect(ctx)
		if err == nil {
			for _, found := range i.Databases {
				found.Level = shapes.LevelOf(found.Level, found.Has)
			}
			s.Recount(ctx, i, ManyJobs/2)
		}
		return i, err
	}
	links := inspectReplicas(ctx, h, defs)
	for _, r := range fleet.Run(ctx, defs, options, inspect) {
		state := states[r.Item.Name]
		state.Inspection, state.Err = r.Value, r.Err
		if r.Err == nil {
			for _, replica := range r.Item.Replicas {
				state.Replicas = append(state.Replicas, links[replica])
			}
			state.ByUser = map[string][]mariadb.AccountFound{}
			for _, a := range r.Value.Accounts {
				state.ByUser[a.User] = append(state.ByUser[a.User], a)
			}
		}
		states[r.Item.Name] = state
	}
}

// inspectReplicas reads the state of all replicas of servers.
func inspectReplicas(ctx context.Context, h *session.Host, servers []*tenants.Server) map[*tenants.Server]mariadb.Replica {
	var replicas []*tenants.Server
	for _, server := range servers {
		replicas = append(replicas, server.Replicas...)
	}
	links := make(map[*tenants.Server]mariadb.Replica, len(replicas))
	options := fleet.Options[*tenants.Server]{Jobs: len(replicas), MaxFailures: fleet.NoLimit}
	for _, r := range fleet.Run(ctx, replicas, options, func(ctx context.Context, replica *tenants.Server) (mariadb.Replica, error) {
		return h.InspectReplica(ctx, replica), nil
	}) {
		links[r.Item] = r.Value
	}
	return links
}
