package upgrade

import (
	"fmt"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mediawiki"
)

// way is the way to end an interrupted upgrade.
type way string

// Values of way.
const (
	leave  way = "leave"    // the database is unchanged: open it
	open   way = "open"     // it is upgraded: open it
	reopen way = "reopen"   // it was restored: open it
	goOn   way = "continue" // the database is upgraded: switch and open
	rerun  way = "again"    // run the updater again, because no dump exists
	load   way = "load"     // restore the dump of a rollback again, to undo that rollback
	back   way = "put back" // restore the dump
)

// decide returns how to end an interrupted upgrade. set and version are the key and the
// version of the code that the definitions want; dump verifies the dump. With a dump the
// earlier state is restored; without one the upgrade continues, because MediaWiki's updater
// can be repeated. The error says what the user has to do.
func decide(row ledger.Upgrade, set, version string, dump func() error) (way, error) {
	switch row.Phase {
	case ledger.Begun:
		return leave, nil
	case ledger.Opening, ledger.Undoing:
		return open, nil
	case ledger.Reopening:
		return reopen, nil
	case ledger.Switching:
		if row.NewSet == set {
			return goOn, nil
		}
	}
	lost := dump()
	switch {
	case lost == nil:
		return back, nil
	case row.UndoBackup != "" && row.Phase == ledger.Restoring: // a rollback that can only be reverted
		return load, nil
	case row.Phase == ledger.Restoring:
		return "", fmt.Errorf("it was being put back and its dump is lost (%w); bring %s and the .json beside it back from a copy, then run wikictl upgrade %s", lost, row.Backup, row.Tenant)
	case row.Reloads(): // the database may be half loaded, which the updater can't detect
		return load, nil
	case mediawiki.NewerSchema(row.NewVersion, version):
		return "", fmt.Errorf("its database was being upgraded to MediaWiki %s, and there is no way back to %s: %w; set its codebase to %s again, and wikictl upgrade %s continues",
			row.NewVersion, version, lost, row.NewCodebase, row.Tenant)
	}
	return rerun, nil
}

// schemaProblem returns why a codebase can't upgrade a database with a schema of that level;
// empty if it can. recorded is the version in the ledger, which decides if the level is newer
// than all that this wikictl knows.
func schemaProblem(level mediawiki.Level, recorded string, c *tenants.Codebase, database string, codebases map[string]*tenants.Codebase) string {
	has, version := string(level), c.Version
	switch {
	case level.Prefix() != "":
		return fmt.Sprintf("the tables of its database %s have the prefix %s, which wikictl does not use: rename them to their names without it (RENAME TABLE)", database, level.Prefix())
	case level == mediawiki.NoTables, level.Foreign():
		return fmt.Sprintf("its database %s is %s; restore it from a backup", database, level)
	case mediawiki.TooOld(level, c):
		return tooOld(level, c, codebases)
	case level == mediawiki.AfterAll && mediawiki.LevelFor(version) != mediawiki.AfterAll:
	case level == mediawiki.AfterAll && mediawiki.NewerSchema(recorded, version):
		has = recorded
	case level != mediawiki.AfterAll && mediawiki.NewerSchema(has, version):
	default:
		return ""
	}
	return fmt.Sprintf("its database has the schema of MediaWiki %s, which %s can't go back from; set a codebase of that version or newer, or see wikictl rollback", has, version)
}

// tooOld names the upgrade that has to come first, and the codebases of the farm for it.
func tooOld(level mediawiki.Level, c *tenants.Codebase, codebases map[string]*tenants.Codebase) string {
	from, version := mediawiki.UpgradesFrom(c), c.Version
	if from == "" {
		from = "1.35"
	}
	missing := fmt.Sprintf("its database has the schema of MediaWiki %s, and %s upgrades from %s or later: upgrade it to %[3]s first", level, version, from)
	if level == mediawiki.BeforeAll {
		missing = fmt.Sprintf("its database is %s, and MediaWiki %s upgrades from %s or later: upgrade it to %[3]s first", level, version, from)
	}
	switch hops := mediawiki.Hops(level, c, codebases); {
	case len(hops) > 0:
		return missing + ", by codebase = \"" + strings.Join(hops, "\" or \"") + "\""
	case level != mediawiki.BeforeAll:
		return missing + ", for which the farm has no codebase"
	}
	return missing + ", without wikictl"
}
