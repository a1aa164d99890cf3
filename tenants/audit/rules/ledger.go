package rules

import (
	"fmt"
	"slices"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
)

// ledgerRules compare the definitions with the records of past runs.
var ledgerRules = []rule{
	{Rule: audit.Rule{
		ID: "worked-on", Severity: audit.Note,
		What:      "A run is working on the wiki.",
		Why:       "It is between two states, so it was not inspected.",
		Repair:    "Audit it again when the run is over.",
		Reference: "wikictl help upgrading",
	}, observed: workedOn, busy: true},
	{Rule: audit.Rule{
		ID: "not-created", Severity: audit.Note,
		What:      "A tenant is defined but not created, or not renamed yet.",
		Why:       "The wiki does not exist under that name.",
		Repair:    "Run wikictl create for it, or wikictl apply if it has a new name.",
		Reference: "wikictl help changing",
	}, observed: notCreated},
	{Rule: audit.Rule{
		ID: "create-unfinished", Severity: audit.Warning,
		What:      "The creation of a wiki was interrupted.",
		Why:       "The wiki is incomplete, or has never answered.",
		Repair:    "Run wikictl create for it, which continues where the other run stopped.",
		Reference: "wikictl help troubleshooting",
	}, observed: createUnfinished},
	{Rule: audit.Rule{
		ID: "ledger-place", Severity: audit.Error,
		What:      "A wiki's database is on another server, or has another name, than in its definition.",
		Why:       "All other commands refuse the wiki: wikictl does not move databases.",
		Repair:    "Set server and database to the values in the ledger.",
		Reference: "wikictl help security",
	}, observed: elsewhere},
	{Rule: audit.Rule{
		ID: "database-missing", Severity: audit.Error,
		What:      "The database of a wiki is missing.",
		Why:       "The wiki does not work. create does not make another one, which would be empty.",
		Repair:    "Restore it from a backup.",
		Reference: "wikictl help troubleshooting",
	}, observed: databaseGone},
	{Rule: audit.Rule{
		ID: "further-missing", Severity: audit.Error,
		What:      "A further database of a wiki is missing, or can't be made.",
		Why:       "What an extension stores there is lost, or the extension does not work.",
		Repair:    "Restore it from a backup; or take it out of databases and run wikictl apply, which forgets it.",
		Reference: "wikictl help changing",
	}, observed: furtherMissing},
	{Rule: audit.Rule{
		ID: "further-pending", Severity: audit.Warning,
		What:      "A definition names a further database that is not made yet.",
		Why:       "An extension that needs it does not work.",
		Repair:    "Run wikictl apply for the wiki.",
		Reference: "wikictl help changing",
	}, observed: furtherPending},
	{Rule: audit.Rule{
		ID: "further-unused", Severity: audit.Note,
		What:      "A wiki has a further database that its definition does not name any more.",
		Why:       "Its accounts have no rights on it. It is kept, and dumped and removed with the wiki.",
		Repair:    "Name it in databases again; or drop it and run wikictl apply for the wiki, which forgets it.",
		Reference: "wikictl help changing",
	}, observed: furtherUnused},
	{Rule: audit.Rule{
		ID: "upgrade-pending", Severity: audit.Note,
		What:      "The definition wants another codebase than the wiki runs on.",
		Why:       "It stays on the old one until it is upgraded.",
		Repair:    "Run wikictl upgrade for it.",
		Reference: "wikictl help upgrading",
	}, observed: upgradePending},
	{Rule: audit.Rule{
		ID: "codebase-changed", Severity: audit.Warning,
		What:      "The code of a wiki's codebase, or which extensions and skins it loads, differs from that for which its database was made or upgraded.",
		Why:       "A codebase that is changed in place serves the wiki immediately, with a database that was not upgraded for it.",
		Repair:    "Run wikictl upgrade for it. Next time, install new code as another codebase beside the old one.",
		Reference: "Manual:Upgrading",
	}, observed: codebaseChanged},
	{Rule: audit.Rule{
		ID: "upgrade-interrupted", Severity: audit.Error,
		What:      "The upgrade of a wiki was interrupted, and no run is working on it.",
		Why:       "The wiki is read-only, or closed to readers, until it is finished or reverted.",
		Repair:    "Run wikictl upgrade for it, which finishes or reverts it, or wikictl rollback.",
		Reference: "wikictl help upgrading",
	}, observed: upgradeInterrupted},
	{Rule: audit.Rule{
		ID: "upgrade-kept", Severity: audit.Warning,
		What:      "The upgrade of a wiki failed, and it was kept closed for inspection (--on-failure keep).",
		Why:       "Users can't read it.",
		Repair:    "Check its log and its database; then run wikictl upgrade for it, which restores it and tries again.",
		Reference: "wikictl help upgrading",
	}, observed: upgradeKept},
	{Rule: audit.Rule{
		ID: "upgrade-losses", Severity: audit.Warning,
		What:      "MediaWiki's updater dropped rows in the upgrade of a wiki, and the loss is not acknowledged.",
		Why:       "Blocks, links or other rows are missing since the upgrade. The dump from before it has them, and is kept until the loss is acknowledged.",
		Repair:    "Check the rows that the message names; recreate those that are missed; then run wikictl losses --acknowledge for the wiki.",
		Reference: "wikictl help upgrading",
	}, observed: upgradeLosses},
	{Rule: audit.Rule{
		ID: "run-interrupted", Severity: audit.Warning,
		What:      "A run was killed, or lost its server, and no later run has finished its work.",
		Why:       "Some wikis are between two states.",
		Repair:    "Run the same command again.",
		Reference: "wikictl help troubleshooting",
	}, observedFarm: runInterrupted},
	{Rule: audit.Rule{
		ID: "tenant-leftover", Severity: audit.Warning,
		What:      "wikictl made a wiki that is not in the definitions.",
		Why:       "Its database and accounts stay on the server, and no command upgrades or audits them.",
		Repair:    "Restore its definition, or remove the wiki with wikictl apply --prune.",
		Reference: "wikictl help changing",
	}, observedFarm: tenantLeftover},
	{Rule: audit.Rule{
		ID: "database-mark", Severity: audit.Warning,
		What:      "A wiki's database does not have the mark of its farm.",
		Why:       "Farms that share a server recognise their databases by the mark: wikictl removes and restores only databases of its own farm. Version 0.1.0 made databases without a mark.",
		Repair:    "Run wikictl audit --fix; the next apply or upgrade of the wiki marks it as well.",
		Reference: "wikictl help security",
	}, observed: databaseMark},
	{Rule: audit.Rule{
		ID: "database-unowned", Severity: audit.Note,
		What:      "A database that looks like a wiki's is in no definition, and wikictl did not make it.",
		Why:       "No command upgrades it, and its content may be forgotten.",
		Repair:    "Drop it if nothing uses it.",
		Reference: "wikictl help security",
	}, observedFarm: unownedDatabases},
}

// row returns the tenant's row in the ledger, if the ledger can be read.
func (s *subject) row() (row ledger.Tenant, known bool) {
	row, known = s.observed.Ledger[s.tenant.Name]
	return row, known
}

// server returns the state of the tenant's server, if the server answers.
func (s *subject) server() (observe.Server, bool) {
	state := s.observed.Servers[s.tenant.Server.Name]
	return state, state.Err == nil
}

// inPlace reports whether the ledger has the tenant's database on the server and under
// the name of its definition.
func (s *subject) inPlace(row ledger.Tenant) bool {
	return row.Server == s.tenant.Server.Name && row.Database == s.tenant.Database
}

// complete reports whether a tenant's database should be whole: no run creates, restores,
// removes or brings it back, or was interrupted at that.
func complete(row ledger.Tenant) bool { return row.State == ledger.Ready || row.State == ledger.Made }

// inUse returns the tenant's database if it should be complete and in use: the tenant
// is complete, its database is in place, and it has no open upgrade.
func (s *subject) inUse() (ledger.Tenant, *mariadb.Found) {
	row, known := s.row()
	state, answers := s.server()
	_, open := s.observed.History.Upgrades[s.tenant.Name]
	if !known || !answers || open || !complete(row) || !s.inPlace(row) {
		return row, nil
	}
	return row, state.Databases[row.Database]
}

// at returns the position of a value of the tenant, or else that of the tenant.
func (s *subject) at(key string) tenants.Position {
	if p, ok := s.tenant.Origins[key]; ok {
		return p
	}
	return s.tenant.Position
}

func workedOn(s *subject, r *reporter) {
	if who := s.observed.Busy[s.tenant.Name]; who != "" {
		r.say(s.tenant.Position, "", "audit it again later", "%s is working on it; it was not inspected", who)
	}
}

func notCreated(s *subject, r *reporter) {
	if _, known := s.row(); known || s.observed.Ledger == nil {
		return
	}
	if other := ledger.HolderOf(s.tenant, s.observed.Ledger); other != "" {
		r.say(s.tenant.Position, "name", "wikictl apply "+s.tenant.Name+" renames it", "the ledger has its database as that of %s", other)
		return
	}
	also := ""
	if state, answers := s.server(); answers && state.Databases[s.tenant.Database] != nil {
		also = fmt.Sprintf("; a database %s that wikictl did not make exists already", s.tenant.Database)
	}
	r.say(s.tenant.Position, "", "wikictl create "+s.tenant.Name, "it is not created yet%s", also)
}

func createUnfinished(s *subject, r *reporter) {
	row, known := s.row()
	if !known || row.State == ledger.Ready {
		return
	}
	how, next := "its database is half made", row.Completion(s.observed.History.Copying[s.tenant.Name])
	switch row.State {
	case ledger.Made:
		how = "its database is made, but it was never seen to answer"
	case ledger.Recovering:
		how = "it is half restored, or half a copy"
	case ledger.Leaving, ledger.Returning:
		how = "it is half removed, or half brought back"
	}
	r.say(s.tenant.Position, "", next, "%s, by run %s on %s UTC", how, row.Run, row.Changed.Format(time.DateTime))
}

func elsewhere(s *subject, r *reporter) {
	row, known := s.row()
	if known && !s.inPlace(row) {
		key := "database"
		if row.Server != s.tenant.Server.Name {
			key = "server"
		}
		r.say(s.at(key), key, "set it back", "the ledger has it in database %s on server %s, the definition in %s on %s",
			row.Database, row.Server, s.tenant.Database, s.tenant.Server.Name)
	}
}

func databaseGone(s *subject, r *reporter) {
	row, known := s.row()
	state, answers := s.server()
	if !known || !answers || !complete(row) || !s.inPlace(row) || state.Databases[row.Database] != nil {
		return
	}
	r.say(s.tenant.Position, row.Database, "restore it from a backup", "its database %s is missing on server %s", row.Database, row.Server)
}

func upgradePending(s *subject, r *reporter) {
	row, known := s.row()
	_, open := s.observed.History.Upgrades[s.tenant.Name]
	if known && !open && row.Codebase != s.tenant.Codebase.Name {
		r.say(s.at("codebase"), "codebase", "wikictl upgrade "+s.tenant.Name, "it runs on codebase %s (MediaWiki %s) but should run on %s (MediaWiki %s)",
			row.Codebase, row.Version, s.tenant.Codebase.Name, s.tenant.Codebase.Version)
	}
}

func codebaseChanged(s *subject, r *reporter) {
	row, known := s.row()
	_, open := s.observed.History.Upgrades[s.tenant.Name]
	if known && !open && row.Codebase == s.tenant.Codebase.Name && row.ComponentSet != s.tenant.ComponentSet(s.tenant.Codebase) {
		r.say(s.at("codebase"), "codebase", "wikictl upgrade "+s.tenant.Name, "codebase %s, or the components that the wiki loads, changed since its database was made for them on %s UTC",
			row.Codebase, row.Changed.Format(time.DateTime))
	}
}

// whatPhase describes, by phase, what an open upgrade has done and how it continues.
var whatPhase = map[ledger.Phase]string{
	ledger.Begun:     "nothing of its database was changed yet",
	ledger.Changing:  "its database was being changed, and will be put back",
	ledger.Switching: "its database is upgraded, and the new code will be switched to",
	ledger.Opening:   "it is upgraded, and will be opened",
	ledger.Undoing:   "a rollback of it had changed nothing, and it will be opened",
	ledger.Restoring: "it was being put back, which will be finished",
	ledger.Reopening: "it is put back, and will be opened",
}

func upgradeInterrupted(s *subject, r *reporter) {
	up, open := s.observed.History.Upgrades[s.tenant.Name]
	if open && up.Phase != ledger.Kept {
		what := whatPhase[up.Phase]
		switch {
		case up.Phase == ledger.Changing && up.Backup == "" && up.Reloads():
			what = "its database was being loaded from " + up.UndoBackup + ", which will be done again"
		case up.Phase == ledger.Changing && up.Backup == "":
			what = "its database was being changed, and the updater will be run again, as there is no dump"
		}
		r.say(s.tenant.Position, string(up.Phase), up.Completion(), "its upgrade from %s to %s by run %s was interrupted: %s",
			up.OldVersion, up.NewVersion, up.Run, what)
	}
}

func upgradeKept(s *subject, r *reporter) {
	up, open := s.observed.History.Upgrades[s.tenant.Name]
	if open && up.Phase == ledger.Kept {
		r.say(s.tenant.Position, string(up.Phase), "wikictl upgrade "+s.tenant.Name, "its upgrade from %s to %s by run %s failed, and it was kept closed: %s",
			up.OldVersion, up.NewVersion, up.Run, up.Error)
	}
}

func upgradeLosses(s *subject, r *reporter) {
	for _, l := range s.observed.History.Losses[s.tenant.Name] {
		where := "there is no dump from before"
		if l.Backup != "" {
			where = "the dump from before is " + l.Backup
		}
		r.say(s.tenant.Position, l.Table, "wikictl losses --acknowledge "+s.tenant.Name, "upgraded by run %s on %s UTC: %s; %s",
			l.Run, l.Noted.Time.Format(time.DateTime), l.What, where)
	}
}

// runInterrupted reports interrupted runs whose work no later run has finished.
func runInterrupted(w *wanted, r *reporter) {
	left := map[string][]string{}
	for name, row := range w.observed.Ledger {
		if row.State != ledger.Ready && w.observed.Busy[name] == "" {
			left[row.Run] = append(left[row.Run], name)
		}
	}
	for name, up := range w.observed.History.Upgrades {
		if up.Phase != ledger.Kept && w.observed.Busy[name] == "" {
			left[up.Acting()] = append(left[up.Acting()], name)
		}
	}
	for _, run := range w.observed.History.Runs {
		if names := left[run.ID]; len(names) > 0 && !w.observed.History.Alive[run.ID] {
			slices.Sort(names)
			r.say(w.Farm.Ledger.Position, run.ID, "wikictl "+run.Command+" …", "%s by %s, begun %s UTC, was interrupted; unfinished: %s",
				run.Command, run.Holder, run.Started.Format(time.DateTime), firstOf(names))
		}
	}
}

func tenantLeftover(w *wanted, r *reporter) {
	if !w.Whole {
		return
	}
	defined := map[string]string{}
	for _, t := range w.Farm.Tenants {
		defined[t.Name], defined[onServer(t.Server.Name, t.Database)] = t.Name, t.Name
	}
	for name, row := range w.observed.Ledger {
		if defined[name] != "" || w.observed.Busy[name] != "" {
			continue
		}
		place := w.Farm.Ledger.Position
		if def := w.Farm.Servers[row.Server]; def != nil {
			place = def.Position
		}
		what := "the definitions have no tenant " + name
		if other := defined[onServer(row.Server, row.Database)]; other != "" {
			what += fmt.Sprintf(", and its database now belongs to tenant %s", other)
		}
		r.say(place, row.Database, "restore its definition, or wikictl apply --prune", "%s; wikictl made its database %s on server %s, last changed %s UTC",
			what, row.Database, row.Server, row.Changed.Format(time.DateTime))
	}
}

func databaseMark(s *subject, r *reporter) {
	state, _ := s.server()
	switch _, found := s.inUse(); {
	case found == nil || !state.Marks || found.Farm == s.observed.FarmID:
	case found.Farm == "":
		r.say(s.at("database"), s.tenant.Database, "wikictl audit --fix", "its database %s has no farm's mark", s.tenant.Database)
	default:
		r.sayAs(audit.Error, s.at("database"), s.tenant.Database, "set database to another, or ALTER DATABASE … COMMENT", "its database %s has the mark of another farm, %s", s.tenant.Database, found.Farm)
	}
}

func unownedDatabases(w *wanted, r *reporter) {
	if !w.Whole || w.observed.Ledger == nil {
		return
	}
	owners := w.owners()
	w.eachServer(func(name string, state observe.Server) {
		var found []string
		for database, f := range state.Databases {
			making := isGolden(database) && len(w.observed.History.Alive) > 0
			if owners.database(name, database) == "" && !making && !state.Others[database] && looksLikeWiki(database, f) {
				found = append(found, database)
			}
		}
		if len(found) > 0 {
			slices.Sort(found)
			r.say(w.Farm.Servers[name].Position, "servers."+name, "DROP DATABASE, if nothing uses them", "databases of no wiki that look like a wiki's: %s", firstOf(found))
		}
	})
}
