package rules

import (
	"fmt"
	"strings"
	"time"

	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
)

// backupRules check dumps.
var backupRules = []rule{
	{Rule: audit.Rule{
		ID: "backup-old", Severity: audit.Warning,
		What:      "A wiki's latest backup or dump is older than [backup] max_age_days, or it has none; if the farm does not set it, a note after 30 days.",
		Why:       "Newer edits are lost if the server is lost.",
		Repair:    "Run wikictl backup; if another program makes the backups, set max_age_days = 0.",
		Reference: "Manual:Backing up a wiki",
	}, observed: oldBackup},
	{Rule: audit.Rule{
		ID: "backup-future", Severity: audit.Warning,
		What:      "A wiki's latest backup or dump has a date in the future: the clock is wrong, or was when it was made.",
		Why:       "Until that date it counts as the latest: restore wants --from, as newer ones may exist, and backup-old finds nothing.",
		Repair:    "Check the clock. Then run wikictl backup NAME. wikictl backup without names lists all; restore --from takes any of them.",
		Reference: "wikictl help backups",
	}, observed: futureBackup},
	{Rule: audit.Rule{
		ID: "backup-damaged", Severity: audit.Error,
		What:      "A wiki's latest backup or dump can't be read, does not match its checksum, or is incomplete, or lacks uploads.",
		Why:       "It can't be restored, and a rollback is refused.",
		Repair:    "Check the disk; run wikictl backup, which stores uploads anew that the wiki still has.",
		Reference: "Manual:Restoring a wiki from backup",
	}, observed: faulty(func(d *observe.Wiki) error { return d.Damaged })},
	{Rule: audit.Rule{
		ID: "backup-incomplete", Severity: audit.Warning,
		What:      "A dump lacks its description, or a description its dump.",
		Why:       "Without the description wikictl can't tell whether the dump is complete, and does not restore it.",
		Repair:    "Restore the missing file, or remove the other.",
		Reference: "Manual:Restoring a wiki from backup",
	}, observed: incompleteBackup},
	{Rule: audit.Rule{
		ID: "backup-gone", Severity: audit.Error,
		What:      "restic's repository no longer has the snapshot that is a wiki's latest backup.",
		Why:       "It can't be restored: restic forget of another program removed it, or the repository is another one.",
		Repair:    "Run wikictl backup; have the other program keep snapshots with the tag wikictl.",
		Reference: "Manual:Backing up a wiki",
	}, observed: goneBackup},
	{Rule: audit.Rule{
		ID: "backup-repository", Severity: audit.Error,
		What:      "restic's repository of [backup] can't be read.",
		Why:       "No backup can be made or restored.",
		Repair:    "Run wikictl doctor, which says what it lacks.",
		Reference: "Manual:Backing up a wiki",
	}, observedFarm: unreadRepository},
}

// ahead is how far a date may be in the future, because another machine gave it.
const ahead = time.Hour

func futureBackup(s *subject, r *reporter) {
	d := s.state()
	if d == nil {
		return
	}
	if d.Latest != nil && d.Latest.Taken.Sub(s.today) > ahead {
		r.say(s.tenant.Position, "", "", "the dump %s has the date %s, which is in the future", d.Latest.File, d.Latest.Taken.UTC().Format(time.DateTime))
	}
	if d.Archive != nil && d.Archive.Taken.Sub(s.today) > ahead {
		r.say(s.tenant.Position, "", "", "the backup %s has the date %s, which is in the future", d.Archive.Place(), d.Archive.Taken.UTC().Format(time.DateTime))
	}
}

func oldBackup(s *subject, r *reporter) {
	d, days := s.state(), s.Farm.Backup.MaxAgeDays
	if d == nil || days == 0 || d.Damaged != nil {
		return
	}
	last, message := d.Row.Changed, "wikictl has made no dump of it"
	at := s.Farm.At("backup")
	if d.Latest != nil {
		last, at = d.Latest.Taken, s.tenant.Position
		message = fmt.Sprintf("the latest dump, %s, is of %s", d.Latest.File, last.Format(time.DateOnly))
	}
	if d.Archive != nil && (d.Latest == nil || d.Archive.Taken.After(last)) {
		last, at = d.Archive.Taken, s.tenant.Position
		message = fmt.Sprintf("the latest backup, %s, is of %s", d.Archive.Place(), last.Format(time.DateOnly))
	}
	if s.today.Sub(last) <= time.Duration(days)*24*time.Hour {
		return
	}
	f := audit.Finding{
		Rule: r.rule.ID, Severity: audit.Note, Tenants: []string{s.tenant.Name}, Position: at, Key: "backup.max_age_days",
		Message: fmt.Sprintf("%s, and %d days is the most", message, days), Hint: "0 if another program makes the backups",
	}
	if _, set := s.Farm.Origins["backup.max_age_days"]; set {
		f.Severity = r.rule.Severity
	}
	r.add(f)
}

func goneBackup(s *subject, r *reporter) {
	d, held := s.state(), s.observed.Repository.Snapshots
	if d == nil || d.Archive == nil || d.Archive.Snapshot == "" || held == nil || held[d.Archive.Snapshot] {
		return
	}
	r.say(s.tenant.Position, "", "wikictl backup "+s.tenant.Name, "the latest backup, %s, is no longer in %s", d.Archive.Place(), s.Farm.Backup.Restic)
}

func unreadRepository(w *wanted, r *reporter) {
	if err := w.observed.Repository.Fault; err != nil {
		r.say(w.Farm.At("backup"), "backup.store", "", "%s", err)
	}
}

func incompleteBackup(s *subject, r *reporter) {
	d := s.state()
	if d == nil {
		return
	}
	var wrong []string
	for _, path := range d.Backups.Undescribed {
		wrong = append(wrong, path+" has no description")
	}
	for _, path := range d.Backups.Dumpless {
		wrong = append(wrong, path+" describes a dump that is not there")
	}
	if len(wrong) > 0 {
		r.say(s.tenant.Position, "", "", "%s", strings.Join(wrong, "; "))
	}
}
