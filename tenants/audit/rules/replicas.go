package rules

import (
	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/mariadb"
)

// replicaRules check the replicas of the database servers.
var replicaRules = []rule{
	{Rule: audit.Rule{
		ID: "replica-down", Severity: audit.Warning,
		What:      "A replica of a server does not answer, does not replicate, or replicates another server.",
		Why:       "Wikis do not read from it, and the others have its load. If it replicates another server, readers see wrong data. If only wikictl can't ask it, runs that have to wait for it fail.",
		Repair:    "Start it, or correct replicas of the server and SHOW SLAVE STATUS of the replica.",
		Reference: "MariaDB: Setting Up Replication",
	}, observedFarm: brokenReplicas},
	{Rule: audit.Rule{
		ID: "replica-lag", Severity: audit.Warning,
		What:      "A replica is further behind its server than max_lag.",
		Why:       "Wikis do not read from it until it has caught up, and the others have its load.",
		Repair:    "Check the replica's disk, network and slave_parallel_threads.",
		Reference: "MariaDB: Parallel Replication",
	}, observedFarm: laggingReplicas},
	{Rule: audit.Rule{
		ID: "replica-writable", Severity: audit.Error,
		What:      "A replica takes writes.",
		Why:       "A write to it makes it differ from its server for good, and may stop the replication.",
		Repair:    "SET GLOBAL read_only = 1, and read_only = 1 below [mariadbd] in its configuration.",
		Reference: "MariaDB: Read-Only Replicas",
	}, observedFarm: writableReplicas},
	{Rule: audit.Rule{
		ID: "replica-load", Severity: audit.Warning,
		What:      "A server that has replicas answers too few reads itself.",
		Why:       "With load 0 the wikis fail when no replica answers. MediaWiki 1.43 lowers a small share further, down to nothing.",
		Repair:    "Remove load, or set it to at least half of what all replicas have together.",
		Reference: "MediaWiki: $wgDBservers",
	}, farm: smallLoads},
}

// eachReplica calls do for each replica of a server that answered.
func (w *wanted) eachReplica(do func(replica *tenants.Server, state mariadb.Replica)) {
	w.eachServer(func(name string, state observe.Server) {
		for i, link := range state.Replicas {
			do(w.Farm.Servers[name].Replicas[i], link)
		}
	})
}

// subjectOf names a replica in findings.
func subjectOf(replica *tenants.Server) string {
	return "servers." + replica.Primary.Name + ".replicas " + replica.Host()
}

func brokenReplicas(w *wanted, r *reporter) {
	w.eachReplica(func(replica *tenants.Server, state mariadb.Replica) {
		if why := state.Fault(); why != "" {
			r.say(replica.Position, subjectOf(replica), "SHOW SLAVE STATUS", "the %s %s: %s", replica.Label(), state.Effect(), why)
		}
	})
}

func laggingReplicas(w *wanted, r *reporter) {
	w.eachReplica(func(replica *tenants.Server, state mariadb.Replica) {
		if state.Fault() == "" && state.Lag > replica.MaxLag {
			r.say(replica.Position, subjectOf(replica), "SHOW SLAVE STATUS", "the %s is %d seconds behind, more than its max_lag of %d", replica.Label(), state.Lag, replica.MaxLag)
		}
	})
}

func writableReplicas(w *wanted, r *reporter) {
	w.eachReplica(func(replica *tenants.Server, state mariadb.Replica) {
		if state.Err == nil && !state.ReadOnly {
			r.say(replica.Position, subjectOf(replica), "SET GLOBAL read_only = 1", "the %s takes writes", replica.Label())
		}
	})
}

func smallLoads(w *wanted, r *reporter) {
	for name, server := range w.Farm.Servers {
		var replicas int64
		for _, replica := range server.Replicas {
			replicas += replica.Load
		}
		if 2*server.Load < replicas {
			r.say(server.Position, "servers."+name, "remove load", "its load is %d, and its replicas have %d", server.Load, replicas)
		}
	}
}
