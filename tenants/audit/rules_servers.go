package audit

// serverRules compare the definitions with databases, accounts and the ledger.
var serverRules = []rule{
	{Rule: Rule{
		ID: "server-unreachable", Severity: Error,
		What:      "A server of wikictl.toml does not answer.",
		Why:       "The wikis on it do not work, and nothing on it was looked at.",
		Mend:      "Start it (wikictl server start, when it is managed) or mend its dsn and password.",
		Reference: "MariaDB: Connecting to MariaDB Server",
	}, allThere: unreachableServers},
}

func unreachableServers(w *wanted, r *reporter) {
	for name, state := range w.there.servers {
		if state.err != nil {
			r.say(w.farm.Servers[name].Position, "servers."+name, "wikictl server status", "%s", state.err)
		}
	}
}
