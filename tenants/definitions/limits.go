package definitions

import (
	"fmt"
	"os/user"
	"regexp"

	"wikictl/tenants"
)

// readPool reads the bounds of a wiki's own php-fpm pool.
func (l *loader) readPool(s *section) (p tenants.Pool) {
	s.number("children", &p.Children, bound{1, 1000})
	s.number("queue", &p.Queue, bound{1, 10_000})
	s.size("memory_limit", &p.MemoryLimit, bound{32 * tenants.MiB, 64 * tenants.GiB})
	s.number("timeout", &p.Timeout, bound{1, 86400})
	if p.Queue > 0 && l.farm.Web.Kind == "apache" {
		// If the queue is full, mod_proxy calls connect(2) repeatedly.
		s.report(s.table["queue"].Position, "queue", "leave it out: a wiki holds at most 10 threads of each of Apache's processes", "Apache would retry refused requests")
	}
	name := s.text("user")
	p.User = name.value
	switch {
	case !name.set():
	case !l.farm.Web.Pools:
		s.report(name.at, "user", "set pools = true in [web]", "wikis have no pools of their own, so they can't have users of their own")
	case l.farm.Web.User == "":
		s.report(name.at, "user", "set user in [web]", "the web server has no user that could read the wiki's uploads")
	case !userName.MatchString(name.value) || name.value == "root":
		s.report(name.at, "user", `such as "wiki-alpha"`, "%q is not a user to run PHP as", name.value)
	}
	s.end()
	return p
}

// userName matches names of users that Debian's useradd accepts (useradd(8)).
var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

// setPool merges the bounds of a tenant's layers. A user that does not exist on the
// machine blocks the tenant: php-fpm would refuse all pools.
func (l *loader) setPool(t *tenants.Tenant, layers []*layer) {
	for _, layer := range layers {
		t.Pool, t.Limits = layer.pool.Or(t.Pool), layer.limits.Or(t.Limits)
		if layer.pool.User != "" {
			t.Origins["pool.user"] = layer.poolUser
		}
	}
	// php-fpm refuses all pools for a longer one.
	if socket := l.farm.Layout().PoolSocket(t.Name); l.farm.Web.Pools && len(socket) > tenants.MaxSocket {
		t.Fault(tenants.Problem{Position: t.Position, Key: "name", Hint: "choose a shorter name, or a state folder with a shorter path",
			Message: fmt.Sprintf("the socket of its pool would be %s, of %d characters, and %d is the most", socket, len(socket), tenants.MaxSocket)})
	}
	if t.Pool.User == "" || !l.farm.Web.Pools {
		return
	}
	found, known := l.users.Load(t.Pool.User)
	if !known {
		_, err := user.Lookup(t.Pool.User)
		found = err == nil
		l.users.Store(t.Pool.User, found)
	}
	if found == false {
		t.Fault(tenants.Problem{Position: t.Origins["pool.user"], Key: "pool.user", Message: fmt.Sprintf("this machine has no user %q", t.Pool.User),
			Hint: "make it, such as by useradd --system --no-create-home " + t.Pool.User})
	}
}

// readLimits reads the bounds of the requests to a wiki's PHP. None of Apache's own
// modules can limit requests: mod_ratelimit bounds the speed of an answer.
func (l *loader) readLimits(s *section) (limits tenants.Limits) {
	rate := s.text("requests")
	if rate.set() && !requestRate.MatchString(rate.value) {
		s.report(rate.at, "requests", `such as "10/s" or "300/m"`, "%q is not a number of requests in a second or minute", rate.value)
	}
	limits.Requests = rate.value
	s.number("burst", &limits.Burst, bound{1, 100_000})
	s.number("connections", &limits.Connections, bound{1, 60_000})
	s.number("total", &limits.Total, bound{1, 60_000})
	if l.farm.Web.Kind == "apache" {
		for key, v := range s.table {
			if find(s.keys, key) != nil {
				s.report(v.Position, key, "bound children in [pool], or let a proxy in front limit requests", "Apache can't limit requests")
			}
		}
	} else if limits.Burst > 0 && limits.Requests == "" {
		s.report(s.table["burst"].Position, "burst", `such as requests = "10/s"`, "has no meaning without requests")
	}
	s.end()
	return limits
}

// requestRate matches a number of requests per second or minute in nginx's form.
var requestRate = regexp.MustCompile(`^[1-9][0-9]{0,5}/[sm]$`)
