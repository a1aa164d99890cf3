package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/mediawiki"
)

// serverRules check the database servers themselves.
var serverRules = []rule{
	{Rule: audit.Rule{
		ID: "server-unreachable", Severity: audit.Error,
		What:      "A server of wikictl.toml does not answer, or refuses its administrator.",
		Why:       "The wikis on it do not work, and nothing on it was inspected.",
		Repair:    "Start it (wikictl server start, if it is managed) or correct its dsn and password.",
		Reference: "MariaDB: Connecting to MariaDB Server",
	}, observedFarm: unreachableServers},
	{Rule: audit.Rule{
		ID: "server-unsupported", Severity: audit.Error,
		What:      "A server is older than the versions that MediaWiki supports.",
		Why:       "MediaWiki's installer and updater refuse it.",
		Repair:    "Upgrade MariaDB or MySQL.",
		Reference: "Compatibility: Database",
	}, observedFarm: unsupportedServers},
	{Rule: audit.Rule{
		ID: "server-eol", Severity: audit.Warning,
		What:      "A server runs a version that gets no more security releases.",
		Why:       "Its known vulnerabilities stay open.",
		Repair:    "Upgrade MariaDB or MySQL. The distribution may still provide fixes.",
		Reference: "MariaDB: Maintenance Policy; MySQL: Product Support EOL Announcements",
	}, observedFarm: oldServers},
	{Rule: audit.Rule{
		ID: "server-read-only", Severity: audit.Error,
		What:      "A server refuses writes.",
		Why:       "Users of its wikis can neither edit nor log in. It may be a replica that wikictl.toml names instead of the primary.",
		Repair:    "Name the primary in [servers], or set read_only to 0.",
		Reference: "MariaDB: Server System Variables, read_only",
	}, observedFarm: serversThat(func(s observe.Server) bool { return s.ReadOnly }, "name the primary", "the server is read-only")},
	{Rule: audit.Rule{
		ID: "server-snapshots", Severity: audit.Warning,
		What:      "On a server, innodb_snapshot_isolation is on, as MariaDB has it by default from 11.6.2.",
		Why:       "A transaction fails with error 1020 when it writes a row that changed since it began. MediaWiki does not repeat it: edits at the same time end with an internal error.",
		Repair:    "SET GLOBAL innodb_snapshot_isolation = OFF, and innodb_snapshot_isolation = OFF below [mariadbd] in its configuration. Restart a managed server.",
		Reference: "MariaDB: InnoDB System Variables, innodb_snapshot_isolation",
	}, observedFarm: serversThat(func(s observe.Server) bool { return s.Snapshots }, "SET GLOBAL innodb_snapshot_isolation = OFF",
		"edits at the same time may fail with error 1020: innodb_snapshot_isolation is on")},
	{Rule: audit.Rule{
		ID: "server-replica-behind", Severity: audit.Warning,
		What:      "A replica of a server is more than a second behind.",
		Why:       "Its data is outdated, and would lack the latest changes if the primary were lost.",
		Repair:    "Check the replica: its disk, its network, and SHOW REPLICA STATUS.",
		Reference: "MariaDB: Replication Overview",
	}, observedFarm: lateReplicas},
	{Rule: audit.Rule{
		ID: "server-no-password", Severity: audit.Error,
		What:      "An account of a server that belongs to no wiki has no password.",
		Why:       "Anyone who can reach the server can use that account.",
		Repair:    "Give it a password, or drop it.",
		Reference: "MariaDB: mariadb-secure-installation",
	}, observedFarm: openServers},
}

func unreachableServers(w *wanted, r *reporter) {
	for name, state := range w.observed.Servers {
		if state.Err != nil {
			r.say(w.Farm.Servers[name].Position, "servers."+name, "wikictl server status", "%s", state.Err)
		}
	}
}

// eachServer calls do for each server that answered.
func (w *wanted) eachServer(do func(name string, state observe.Server)) {
	for name, state := range w.observed.Servers {
		if state.Err == nil {
			do(name, state)
		}
	}
}

// brand returns the vendor of a server version, as MediaWiki distinguishes them, and the
// version number.
func brand(version string) (name, number string) {
	number, _, _ = strings.Cut(version, "-")
	if strings.Contains(version, "MariaDB") {
		return "MariaDB", number
	}
	return "MySQL", number
}

// leastServer is the oldest version of a server's maker that the codebases of its tenants
// take, and the MediaWiki that asks for it. A server without tenants may be asked for by
// any codebase.
func (w *wanted) leastServer(server, maker string) (least, by string) {
	var used []*tenants.Codebase
	for _, t := range w.Farm.Tenants {
		if t.Server != nil && t.Server.Name == server && t.Codebase != nil && !slices.Contains(used, t.Codebase) {
			used = append(used, t.Codebase)
		}
	}
	if len(used) == 0 {
		used = slices.Collect(maps.Values(w.Farm.Codebases))
	}
	slices.SortFunc(used, func(a, b *tenants.Codebase) int { return mediawiki.CompareVersions(a.Version, b.Version) })
	for _, c := range used {
		if needs := mediawiki.LeastServer(c, maker); mediawiki.CompareVersions(needs, least) > 0 {
			least, by = needs, c.Version
		}
	}
	return least, by
}

func unsupportedServers(w *wanted, r *reporter) {
	w.eachServer(func(name string, state observe.Server) {
		maker, version := brand(state.Version)
		if least, by := w.leastServer(name, maker); mediawiki.CompareVersions(least, version) > 0 {
			r.say(w.Farm.Servers[name].Position, "servers."+name, "upgrade it", "the server is %s %s, but MediaWiki %s needs %s or newer", maker, version, by, least)
		}
	})
}

func oldServers(w *wanted, r *reporter) {
	w.eachServer(func(name string, state observe.Server) {
		maker, version := brand(state.Version)
		if least, _ := w.leastServer(name, maker); mediawiki.CompareVersions(least, version) > 0 {
			return // version-old is worse
		}
		if end := mediawiki.Ended(maker, version, w.today); end != "" {
			r.say(w.Farm.Servers[name].Position, "servers."+name, "upgrade it", "%s %s: security releases ended on %s", maker, version, end)
		}
	})
}

// serversThat reports the servers of which is holds.
func serversThat(is func(observe.Server) bool, hint, message string) func(*wanted, *reporter) {
	return func(w *wanted, r *reporter) {
		w.eachServer(func(name string, state observe.Server) {
			if is(state) {
				r.say(w.Farm.Servers[name].Position, "servers."+name, hint, "%s", message)
			}
		})
	}
}

func lateReplicas(w *wanted, r *reporter) {
	w.eachServer(func(name string, state observe.Server) {
		if len(state.Behind) > 0 {
			r.say(w.Farm.Servers[name].Position, "servers."+name, "", "replicas are behind: %s", firstOf(state.Behind))
		}
	})
}

func openServers(w *wanted, r *reporter) {
	owners := w.owners()
	w.eachServer(func(name string, state observe.Server) {
		var open []string
		for _, a := range state.Accounts {
			if a.NoPassword && owners.account(name, a.User) == "" {
				open = append(open, a.Name())
			}
		}
		if len(open) > 0 {
			r.say(w.Farm.Servers[name].Position, "servers."+name, "ALTER USER … IDENTIFIED BY …", "without a password: %s", firstOf(open))
		}
	})
}

// firstOf lists the first few names and the number of the others.
func firstOf(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
