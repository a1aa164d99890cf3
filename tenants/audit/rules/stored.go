package rules

import (
	"fmt"
	"strings"

	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
)

// storedRules compare the uploads that a wiki's database names with its upload folder.
var storedRules = []rule{
	{Rule: audit.Rule{
		ID: "uploads-missing", Severity: audit.Error,
		What:      "Uploads that a wiki's database names are missing in its upload folder, or have another size there.",
		Why:       "Readers see no file, or a wrong one. Once the backups that have it expire, it is lost.",
		Repair:    "If a disk is not mounted, mount it. wikictl restore NAME --only uploads brings back the uploads of a backup and removes later ones; wikictl help backups says how to bring back a single one. The content may still be below images/deleted.",
		Reference: "Manual:Image administration",
	}, observed: missingUploads},
}

// missingUploads only warns of deleted files, which administrators remove to make room.
func missingUploads(s *subject, r *reporter) {
	d := s.state()
	if d == nil || d.Stored.Wrong+d.Stored.Deleted == 0 {
		return
	}
	severity := r.rule.Severity
	if d.Stored.Wrong == 0 {
		severity = audit.Warning
	}
	hint := "bring them back from a backup: wikictl help backups"
	if d.Archive != nil {
		hint = fmt.Sprintf("bring them back from a backup, such as that of run %s: wikictl help backups", d.Archive.Run)
	}
	r.sayAs(severity, s.tenant.Position, "", hint, "%s", describeStored(d.Stored, s.Farm.Layout().Images(s.tenant.Name)))
}

// describeStored says what was compared and what is wrong, and names the first files.
func describeStored(c observe.StoredUploads, folder string) string {
	wrong, first := c.Wrong+c.Deleted, ""
	if c.Part {
		first = "first "
	}
	text := fmt.Sprintf("%s lacks, or has with another size, %d of the %s%d files that its database names", folder, wrong, first, c.Compared)
	if c.Deleted > 0 {
		text += fmt.Sprintf(", %d of them among deleted files", c.Deleted)
	}
	text += ": " + strings.Join(c.Faults, ", ")
	if wrong > len(c.Faults) {
		text += " and more"
	}
	return text
}
