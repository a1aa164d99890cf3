package audit

import (
	"fmt"
	"slices"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
)

// ledgerRules compare the definitions with what wikictl did.
var ledgerRules = []rule{
	{Rule: Rule{
		ID: "worked-on", Severity: Note,
		What:      "A run works on the wiki right now.",
		Why:       "It is between two states, so what is there of it was not looked at.",
		Mend:      "Audit it again when the run is over.",
		Reference: "wikictl help upgrading",
	}, there: workedOn, busy: true},
	{Rule: Rule{
		ID: "not-created", Severity: Note,
		What:      "A tenant is defined and was not created yet.",
		Why:       "There is no such wiki.",
		Mend:      "Run wikictl create for it.",
		Reference: "wikictl help changing",
	}, there: notCreated},
	{Rule: Rule{
		ID: "create-unfinished", Severity: Warning,
		What:      "The creation of a wiki was begun and did not come to its end.",
		Why:       "It is half made, or was never seen to answer.",
		Mend:      "Run wikictl create for it, which goes on where the other run stopped.",
		Reference: "wikictl help troubleshooting",
	}, there: createUnfinished},
	{Rule: Rule{
		ID: "ledger-place", Severity: Error,
		What:      "A wiki's database is on another server, or of another name, than its definition says.",
		Why:       "Every other command refuses it: wikictl moves no databases.",
		Mend:      "Set server and database to what the ledger has.",
		Reference: "wikictl help security",
	}, there: elsewhere},
	{Rule: Rule{
		ID: "database-missing", Severity: Error,
		What:      "The database of a wiki is gone.",
		Why:       "The wiki does not work. create makes none anew, as it would be empty.",
		Mend:      "Restore it from a backup.",
		Reference: "wikictl help troubleshooting",
	}, there: databaseGone},
	{Rule: Rule{
		ID: "upgrade-pending", Severity: Note,
		What:      "The definition wants another codebase than the wiki runs on.",
		Why:       "It stays on the old one until it is upgraded.",
		Mend:      "Run wikictl upgrade for it.",
		Reference: "wikictl help upgrading",
	}, there: upgradePending},
	{Rule: Rule{
		ID: "codebase-changed", Severity: Warning,
		What:      "The code of a wiki's codebase, or which extensions and skins it loads, is not what its database was made or upgraded for.",
		Why:       "A codebase that was changed in place serves the wiki at once, on a database that was not upgraded for it.",
		Mend:      "Run wikictl upgrade for it. The next time put new code beside the old one, as another codebase.",
		Reference: "Manual:Upgrading",
	}, there: codebaseChanged},
	{Rule: Rule{
		ID: "upgrade-interrupted", Severity: Error,
		What:      "The upgrade of a wiki was begun and did not come to its end, and nobody works on it.",
		Why:       "The wiki is read-only, or closed to readers, until it is finished or put back.",
		Mend:      "Run wikictl upgrade for it, which finishes what was done and puts back what was not, or wikictl rollback.",
		Reference: "wikictl help upgrading",
	}, there: upgradeInterrupted},
	{Rule: Rule{
		ID: "upgrade-kept", Severity: Warning,
		What:      "The upgrade of a wiki failed, and it was left closed to be looked at (--on-failure keep).",
		Why:       "Nobody can read it.",
		Mend:      "Look at its log and its database; then run wikictl upgrade for it, which puts it back and tries again.",
		Reference: "wikictl help upgrading",
	}, there: upgradeKept},
	{Rule: Rule{
		ID: "upgrade-losses", Severity: Warning,
		What:      "MediaWiki's updater did not take along everything when a wiki was upgraded, and nobody has acknowledged that.",
		Why:       "Blocks, links or other rows of before are not in the wiki any more. The dump of before the upgrade has them, and is kept until then.",
		Mend:      "Look at what is named; make anew what is missed; then run wikictl losses --acknowledge for the wiki.",
		Reference: "wikictl help upgrading",
	}, there: upgradeLosses},
	{Rule: Rule{
		ID: "run-interrupted", Severity: Warning,
		What:      "A run was killed, or lost its server, before it was over, and what it left is still as it was then.",
		Why:       "Some wikis are between two states.",
		Mend:      "Run the same command again.",
		Reference: "wikictl help troubleshooting",
	}, allThere: runInterrupted},
	{Rule: Rule{
		ID: "tenant-leftover", Severity: Warning,
		What:      "wikictl made a wiki that the definitions do not have.",
		Why:       "Its database and accounts stay on the server, and nobody upgrades or audits them.",
		Mend:      "Put its definition back, or have wikictl apply --prune remove it.",
		Reference: "wikictl help changing",
	}, allThere: tenantLeftover},
	{Rule: Rule{
		ID: "database-mark", Severity: Warning,
		What:      "A wiki's database does not have the mark of its farm.",
		Why:       "Where several farms share a server each knows its databases by that: wikictl removes and restores none that is not its farm's. Version 0.1.0 made databases without.",
		Mend:      "Run wikictl audit --fix; the next apply or upgrade of the wiki marks it as well.",
		Reference: "wikictl help security",
	}, there: databaseMark},
	{Rule: Rule{
		ID: "database-unowned", Severity: Note,
		What:      "A database that looks like a wiki's is in no definition, and wikictl did not make it.",
		Why:       "Nobody upgrades it, and what is in it may be forgotten.",
		Mend:      "Drop it if it is nobody's.",
		Reference: "wikictl help security",
	}, allThere: unownedDatabases},
}

// row is what the ledger knows of the tenant; there is none where the ledger can't
// be read.
func (s *subject) row() (row ledger.Tenant, known bool) {
	row, known = s.there.ledger[s.tenant.Name]
	return row, known
}

// server is what the tenant's server holds; there is nothing when it does not answer.
func (s *subject) server() (serverState, bool) {
	state := s.there.servers[s.tenant.Server.Name]
	return state, state.err == nil
}

// inPlace says whether the ledger has the tenant where its definition does.
func (s *subject) inPlace(row ledger.Tenant) bool {
	return row.Server == s.tenant.Server.Name && row.Database == s.tenant.Database
}

// settled is the tenant's database when it should be whole and open: the tenant
// was made, is where it should be, and no upgrade of it is open.
func (s *subject) settled() (ledger.Tenant, *mariadb.Found) {
	row, known := s.row()
	state, answers := s.server()
	_, open := s.there.past.upgrades[s.tenant.Name]
	if !known || !answers || open || row.State == ledger.Creating || !s.inPlace(row) {
		return row, nil
	}
	return row, state.Databases[row.Database]
}

// at is where a value of the tenant comes from, or where the tenant is defined.
func (s *subject) at(key string) tenants.Position {
	if p, ok := s.tenant.Origins[key]; ok {
		return p
	}
	return s.tenant.Position
}

func workedOn(s *subject, r *reporter) {
	if who := s.there.busy[s.tenant.Name]; who != "" {
		r.say(s.tenant.Position, "", "audit it again later", "%s works on it; what is there of it was not looked at", who)
	}
}

func notCreated(s *subject, r *reporter) {
	if _, known := s.row(); known || s.there.ledger == nil {
		return
	}
	also := ""
	if state, answers := s.server(); answers && state.Databases[s.tenant.Database] != nil {
		also = fmt.Sprintf("; a database %s is there already, which wikictl did not make", s.tenant.Database)
	}
	r.say(s.tenant.Position, "", "wikictl create "+s.tenant.Name, "it is not created yet%s", also)
}

func createUnfinished(s *subject, r *reporter) {
	row, known := s.row()
	if !known || row.State == ledger.Ready {
		return
	}
	how := "its database is half made"
	if row.State == ledger.Made {
		how = "its database is made, but it was never seen to answer"
	}
	r.say(s.tenant.Position, "", "wikictl create "+s.tenant.Name, "%s, by run %s on %s UTC", how, row.Run, row.Changed.Format(time.DateTime))
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
	if !known || !answers || row.State == ledger.Creating || !s.inPlace(row) || state.Databases[row.Database] != nil {
		return
	}
	r.say(s.tenant.Position, row.Database, "restore it from a backup", "its database %s is gone from server %s", row.Database, row.Server)
}

func upgradePending(s *subject, r *reporter) {
	row, known := s.row()
	_, open := s.there.past.upgrades[s.tenant.Name]
	if known && !open && row.Codebase != s.tenant.Codebase.Name {
		r.say(s.at("codebase"), "codebase", "wikictl upgrade "+s.tenant.Name, "it runs on codebase %s (MediaWiki %s) and is to run on %s (MediaWiki %s)",
			row.Codebase, row.Version, s.tenant.Codebase.Name, s.tenant.Codebase.Version)
	}
}

func codebaseChanged(s *subject, r *reporter) {
	row, known := s.row()
	_, open := s.there.past.upgrades[s.tenant.Name]
	if known && !open && row.Codebase == s.tenant.Codebase.Name && row.ComponentSet != s.tenant.ComponentSet(s.tenant.Codebase) {
		r.say(s.at("codebase"), "codebase", "wikictl upgrade "+s.tenant.Name, "codebase %s, or what the wiki loads of it, changed since its database was made for it on %s UTC",
			row.Codebase, row.Changed.Format(time.DateTime))
	}
}

// whatPhase says what an open upgrade of a phase has done, and what will become of it.
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
	up, open := s.there.past.upgrades[s.tenant.Name]
	if open && up.Phase != ledger.Kept {
		what := whatPhase[up.Phase]
		switch {
		case up.Phase == ledger.Changing && up.Backup == "" && up.Reloads():
			what = "its database was being loaded from " + up.UndoBackup + ", which will be done again"
		case up.Phase == ledger.Changing && up.Backup == "":
			what = "its database was being changed, and the updater will be run again, as there is no dump"
		}
		r.say(s.tenant.Position, string(up.Phase), "wikictl upgrade "+s.tenant.Name, "its upgrade from %s to %s by run %s was interrupted: %s",
			up.OldVersion, up.NewVersion, up.Run, what)
	}
}

func upgradeKept(s *subject, r *reporter) {
	up, open := s.there.past.upgrades[s.tenant.Name]
	if open && up.Phase == ledger.Kept {
		r.say(s.tenant.Position, string(up.Phase), "wikictl upgrade "+s.tenant.Name, "its upgrade from %s to %s by run %s failed, and it was left closed: %s",
			up.OldVersion, up.NewVersion, up.Run, up.Error)
	}
}

func upgradeLosses(s *subject, r *reporter) {
	for _, l := range s.there.past.losses[s.tenant.Name] {
		where := "there is no dump of before"
		if l.Backup != "" {
			where = "the dump of before is " + l.Backup
		}
		r.say(s.tenant.Position, l.Table, "wikictl losses --acknowledge "+s.tenant.Name, "upgraded by run %s on %s UTC: %s; %s",
			l.Run, l.Noted.Time.Format(time.DateTime), l.What, where)
	}
}

// runInterrupted leaves out the runs that left nothing: a later run did what they
// did not.
func runInterrupted(w *wanted, r *reporter) {
	left := map[string][]string{}
	for name, row := range w.there.ledger {
		if row.State != ledger.Ready && w.there.busy[name] == "" {
			left[row.Run] = append(left[row.Run], name)
		}
	}
	for name, up := range w.there.past.upgrades {
		if up.Phase != ledger.Kept && w.there.busy[name] == "" {
			left[up.Run] = append(left[up.Run], name)
		}
	}
	for _, run := range w.there.past.runs {
		if names := left[run.ID]; len(names) > 0 && !w.there.past.alive[run.ID] {
			slices.Sort(names)
			r.say(w.farm.Ledger.Position, run.ID, "wikictl "+run.Command+" …", "%s by %s, begun %s UTC, was interrupted; what it left: %s",
				run.Command, run.Holder, run.Started.Format(time.DateTime), firstOf(names))
		}
	}
}

func tenantLeftover(w *wanted, r *reporter) {
	if !w.whole {
		return
	}
	defined := map[string]string{}
	for _, t := range w.farm.Tenants {
		defined[t.Name], defined[onServer(t.Server.Name, t.Database)] = t.Name, t.Name
	}
	for name, row := range w.there.ledger {
		if defined[name] != "" || w.there.busy[name] != "" {
			continue
		}
		place := w.farm.Ledger.Position
		if def := w.farm.Servers[row.Server]; def != nil {
			place = def.Position
		}
		what := "the definitions have no tenant " + name
		if other := defined[onServer(row.Server, row.Database)]; other != "" {
			what += fmt.Sprintf(", and its database is that of tenant %s now", other)
		}
		r.say(place, row.Database, "put its definition back, or wikictl apply --prune", "%s; wikictl made its database %s on server %s, last changed %s UTC",
			what, row.Database, row.Server, row.Changed.Format(time.DateTime))
	}
}

func databaseMark(s *subject, r *reporter) {
	state, _ := s.server()
	switch _, found := s.settled(); {
	case found == nil || !state.Marks || found.Farm == s.there.farmID:
	case found.Farm == "":
		r.say(s.at("database"), s.tenant.Database, "wikictl audit --fix", "its database %s has no farm's mark", s.tenant.Database)
	default:
		r.sayAs(Error, s.at("database"), s.tenant.Database, "set database to another, or ALTER DATABASE … COMMENT", "its database %s has the mark of another farm, %s", s.tenant.Database, found.Farm)
	}
}

func unownedDatabases(w *wanted, r *reporter) {
	if !w.whole || w.there.ledger == nil {
		return
	}
	owners := w.owners()
	w.eachServer(func(name string, state serverState) {
		var found []string
		for database, f := range state.Databases {
			making := isGolden(database) && len(w.there.past.alive) > 0
			if owners.database(name, database) == "" && !making && !state.Others[database] && looksLikeWiki(database, f) {
				found = append(found, database)
			}
		}
		if len(found) > 0 {
			slices.Sort(found)
			r.say(w.farm.Servers[name].Position, "servers."+name, "DROP DATABASE, if they are nobody's", "databases like a wiki's that are nobody's: %s", firstOf(found))
		}
	})
}
