package rules

import (
	"fmt"
	"strings"
	"time"

	"wikictl/tenants/audit"
)

// backupRules are about dumps.
var backupRules = []rule{
	{Rule: audit.Rule{
		ID: "backup-old", Severity: audit.Warning,
		What:      "A wiki's latest dump is older than [backup] max_age_days, or it has none; a note where the farm does not set that, with 30 days.",
		Why:       "What was written since is lost with the server.",
		Repair:    "Dump the wiki; where something else than wikictl makes the backups, set max_age_days = 0.",
		Reference: "Manual:Backing up a wiki",
	}, observed: oldBackup},
	{Rule: audit.Rule{
		ID: "backup-damaged", Severity: audit.Error,
		What:      "A wiki's latest dump can't be read, is not what was written, or does not end as a dump does.",
		Why:       "It can't be restored, and a rollback is refused.",
		Repair:    "Look at the disk; dump the wiki anew.",
		Reference: "Manual:Restoring a wiki from backup",
	}, observed: damagedBackup},
	{Rule: audit.Rule{
		ID: "backup-incomplete", Severity: audit.Warning,
		What:      "A dump has no description beside it, or a description no dump.",
		Why:       "Without the description wikictl can't tell whether the dump is whole, and does not restore it.",
		Repair:    "Bring back what is missing, or remove the other.",
		Reference: "Manual:Restoring a wiki from backup",
	}, observed: incompleteBackup},
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
	if s.today.Sub(last) <= time.Duration(days)*24*time.Hour {
		return
	}
	f := audit.Finding{
		Rule: r.rule.ID, Severity: audit.Note, Tenants: []string{s.tenant.Name}, Position: at, Key: "backup.max_age_days",
		Message: fmt.Sprintf("%s, and %d days is the most", message, days), Hint: "0 when something else makes the backups",
	}
	if _, set := s.Farm.Origins["backup.max_age_days"]; set {
		f.Severity = r.rule.Severity
	}
	r.add(f)
}

func damagedBackup(s *subject, r *reporter) {
	if d := s.state(); d != nil && d.Damaged != nil {
		r.say(s.tenant.Position, "", "", "%s", d.Damaged)
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
