package audit

import (
	"fmt"
	"strings"
	"time"
)

// backupRules are about dumps.
var backupRules = []rule{
	{Rule: Rule{
		ID: "backup-old", Severity: Warning,
		What:      "A wiki's latest dump is older than [backup] max_age_days, or it has none; a note where the farm does not set that, with 30 days.",
		Why:       "What was written since is lost with the server.",
		Mend:      "Dump the wiki; where something else than wikictl makes the backups, set max_age_days = 0.",
		Reference: "Manual:Backing up a wiki",
	}, there: oldBackup},
	{Rule: Rule{
		ID: "backup-damaged", Severity: Error,
		What:      "A wiki's latest dump can't be read, is not what was written, or does not end as a dump does.",
		Why:       "It can't be restored, and a rollback is refused.",
		Mend:      "Look at the disk; dump the wiki anew.",
		Reference: "Manual:Restoring a wiki from backup",
	}, there: damagedBackup},
	{Rule: Rule{
		ID: "backup-incomplete", Severity: Warning,
		What:      "A dump has no description beside it, or a description no dump.",
		Why:       "Without the description wikictl can't tell whether the dump is whole, and does not restore it.",
		Mend:      "Bring back what is missing, or remove the other.",
		Reference: "Manual:Restoring a wiki from backup",
	}, there: incompleteBackup},
}

func oldBackup(s *subject, r *reporter) {
	d, days := s.state(), s.farm.Backup.MaxAgeDays
	if d == nil || days == 0 || d.damaged != nil {
		return
	}
	last, message := d.row.Changed, "wikictl has made no dump of it"
	at := s.farm.At("backup")
	if d.latest != nil {
		last, at = d.latest.Taken, s.tenant.Position
		message = fmt.Sprintf("the latest dump, %s, is of %s", d.latest.File, last.Format(time.DateOnly))
	}
	if s.today.Sub(last) <= time.Duration(days)*24*time.Hour {
		return
	}
	f := Finding{
		Rule: r.rule.ID, Severity: Note, Tenants: []string{s.tenant.Name}, Position: at, Key: "backup.max_age_days",
		Message: fmt.Sprintf("%s, and %d days is the most", message, days), Hint: "0 when something else makes the backups",
	}
	if _, set := s.farm.Origins["backup.max_age_days"]; set {
		f.Severity = r.rule.Severity
	}
	r.add(f)
}

func damagedBackup(s *subject, r *reporter) {
	if d := s.state(); d != nil && d.damaged != nil {
		r.say(s.tenant.Position, "", "", "%s", d.damaged)
	}
}

func incompleteBackup(s *subject, r *reporter) {
	d := s.state()
	if d == nil {
		return
	}
	var wrong []string
	for _, path := range d.backups.Undescribed {
		wrong = append(wrong, path+" has no description")
	}
	for _, path := range d.backups.Dumpless {
		wrong = append(wrong, path+" describes a dump that is not there")
	}
	if len(wrong) > 0 {
		r.say(s.tenant.Position, "", "", "%s", strings.Join(wrong, "; "))
	}
}
