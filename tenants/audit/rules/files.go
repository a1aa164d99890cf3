package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"wikictl/templates/deploy"
	"wikictl/templates/deploy/permissions"
	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
)

// fileRules compare the definitions with files and with the wikis' answers.
var fileRules = slices.Concat(diskRules, farmRules, jobRules, backupRules, storedRules, wikiRules, phpRules, certificateRules, folderRules)

// diskRules check the files of one tenant.
var diskRules = []rule{
	{Rule: audit.Rule{
		ID: "read-only-left", Severity: audit.Error,
		What:      "A wiki is read-only on the web, although no upgrade of it is open.",
		Why:       "Users can't edit it.",
		Repair:    "Remove the file, unless the wiki was closed on purpose.",
		Reference: "Manual:$wgReadOnly",
	}, observed: readOnlyLeft},
	{Rule: audit.Rule{
		ID: "maintenance-left", Severity: audit.Error,
		What:      "The web server answers for a wiki with its maintenance page, although no upgrade of it is open.",
		Why:       "Users can't read it.",
		Repair:    "Remove the file, unless the wiki was closed on purpose.",
		Reference: "wikictl help upgrading",
	}, observed: maintenanceLeft},
	{Rule: audit.Rule{
		ID: "files-unreadable", Severity: audit.Error,
		What:      "A wiki's files could not be inspected.",
		Why:       "Problems with them remain unknown.",
		Repair:    "The message has the reason. Run audits as the user that runs the other commands.",
		Reference: "Manual:Security",
	}, observed: unreadableFiles, observedFarm: unreadFolders},
	{Rule: audit.Rule{
		ID: "link-broken", Severity: audit.Error,
		What:      "A wiki's link to its release, or the release's link to the code, is broken.",
		Why:       "The wiki does not work.",
		Repair:    "wikictl audit --fix points it at the latest release of the code that the wiki runs on.",
		Reference: "Manual:Wiki family",
	}, observed: brokenLinks},
	{Rule: audit.Rule{
		ID: "secrets-missing", Severity: audit.Error,
		What:      "The file of a wiki's passwords and keys is missing or can't be read.",
		Why:       "The wiki can't be rendered, upgraded or restored; a new secret key would log out all users.",
		Repair:    "Restore it from a backup of the state folder. The web account's password and the keys are in LocalSettings.php, too.",
		Reference: "Manual:$wgSecretKey",
	}, observed: missingSecrets},
	{Rule: audit.Rule{
		ID: "file-missing", Severity: audit.Error,
		What:      "A wiki's LocalSettings.php, virtual host or php-fpm pool is missing.",
		Why:       "The wiki does not work, or will stop working when the web server reloads its configuration.",
		Repair:    "Run wikictl render --write for it.",
		Reference: "Manual:LocalSettings.php",
	}, observed: missingFiles},
	{Rule: audit.Rule{
		ID: "images-missing", Severity: audit.Error,
		What:      "The folder of a wiki's uploaded files is missing, or the link in its place is dangling.",
		Why:       "Uploads are lost or their disk is not mounted; users can't upload.",
		Repair:    "Mount it, or restore it from a backup. For a wiki that never had uploads, make the folder; wikictl audit --fix then gives it to the web server.",
		Reference: "Manual:$wgUploadDirectory",
	}, observed: missing(tenants.Layout.Images, "mount it or bring it back from a backup")},
	{Rule: audit.Rule{
		ID: "uploads-link", Severity: audit.Error,
		What:      "A link in a wiki's upload folder leads out of it.",
		Why:       "No backup has the files behind it, so wikictl refuses to back the wiki up or copy it; PHP's user may have made the link to read or change files of others.",
		Repair:    "Replace the link by a folder on which its target is mounted (mount --bind), or move the files in. Remove a link that you did not make.",
		Reference: "wikictl help backups",
	}, observed: faulty(func(d *observe.Wiki) error { return d.Links })},
	{Rule: audit.Rule{
		ID: "uploads-irregular", Severity: audit.Warning,
		What:      "A wiki's upload folder has a FIFO, a socket or a device.",
		Why:       "No backup has it. MediaWiki makes none: another program made it, or a user of the machine.",
		Repair:    "Move it elsewhere, or remove it.",
		Reference: "wikictl help backups",
	}, observed: irregularUploads},
	{Rule: audit.Rule{
		ID: "cache-missing", Severity: audit.Warning,
		What:      "The folder of a wiki's caches is missing.",
		Why:       "Extensions that use it are slower or fail.",
		Repair:    "wikictl audit --fix makes it.",
		Reference: "Manual:$wgCacheDirectory",
	}, observed: missing(tenants.Layout.Cache, "wikictl audit --fix")},
	{Rule: audit.Rule{
		ID: "cache-future", Severity: audit.Warning,
		What:      "The file or link by whose date a wiki's caches are forgotten has a date in the future: the clock was ahead when it was made.",
		Why:       "Until that date MediaWiki takes everything cached for too old, and renders each page anew for each reader.",
		Repair:    "Check the clock. wikictl audit --fix dates it now.",
		Reference: "Manual:$wgCacheEpoch",
	}, observed: futureCaches},
	{Rule: audit.Rule{
		ID: "file-changed", Severity: audit.Warning,
		What:      "A wiki's LocalSettings.php, virtual host, php-fpm pool or code differs from its definitions.",
		Why:       "It was changed by hand, which the next run reverts, or the definitions were changed and not applied.",
		Repair:    "Check wikictl render --diff; move wanted changes into the definitions; then run wikictl render --write.",
		Reference: "Manual:LocalSettings.php",
	}, observed: changedFiles},
	{Rule: audit.Rule{
		ID: "file-mode", Severity: audit.Error,
		What:      "More users than necessary can read or write a wiki's files, or the web server can't read them.",
		Why:       "A user who can read the secrets controls the wiki; one who can write its settings runs code as the web server.",
		Repair:    "wikictl audit --fix restores the mode.",
		Reference: "Manual:Security",
	}, observed: wrongModes},
	{Rule: audit.Rule{
		ID: "file-owner", Severity: audit.Error,
		What:      "A wiki's files belong to the wrong user or group.",
		Why:       "The web server can't write uploads and caches, can't read the settings, or can change files that it must not.",
		Repair:    "wikictl audit --fix restores the owner.",
		Reference: "Manual:Security",
	}, observed: wrongOwners},
	{Rule: audit.Rule{
		ID: "release-unused", Severity: audit.Note,
		What:      "A wiki has releases that are neither current, nor among the last three, nor needed for a rollback.",
		Why:       "They contain old passwords and settings, and nothing uses them.",
		Repair:    "wikictl audit --fix removes them.",
		Reference: "Manual:Wiki family",
	}, observed: unusedReleases},
	{Rule: audit.Rule{
		ID: "file-half", Severity: audit.Note,
		What:      "A killed run left incomplete files.",
		Why:       "They take space and may contain secrets; nothing uses them.",
		Repair:    "wikictl audit --fix removes them.",
		Reference: "Manual:Backing up a wiki",
	}, observed: halfFiles, observedFarm: halfFarmFiles},
}

// state returns the tenant's observed files, or nil if there was nothing to compare.
func (s *subject) state() *observe.Wiki {
	if d := s.observed.Wikis[s.tenant.Name]; d != nil && d.Unread == nil {
		return d
	}
	return nil
}

func unreadFolders(w *wanted, r *reporter) {
	for _, why := range w.observed.Farm.Unseen {
		r.say(w.Farm.At("state"), "state", "run wikictl as root", "%s", why)
	}
}

func unreadableFiles(s *subject, r *reporter) {
	if d := s.observed.Wikis[s.tenant.Name]; d != nil && d.Unread != nil {
		r.say(s.tenant.Position, "", "", "%s", d.Unread)
	}
	if d := s.state(); d != nil && d.Unscanned != nil {
		r.say(s.tenant.Position, "", "", "%s", d.Unscanned)
	}
}

// faulty reports an error of a wiki's files.
func faulty(of func(*observe.Wiki) error) func(*subject, *reporter) {
	return func(s *subject, r *reporter) {
		if d := s.state(); d != nil && of(d) != nil {
			r.say(s.tenant.Position, "", "", "%s", of(d))
		}
	}
}

func irregularUploads(s *subject, r *reporter) {
	if d := s.state(); d != nil && d.Omitted != "" {
		r.say(s.tenant.Position, "", "", "%s", d.Omitted)
	}
}

// rendering returns the command that rewrites a wiki's files.
func (s *subject) rendering(flag string) string {
	if s.state().Code != s.tenant.Codebase {
		return "wikictl upgrade " + s.tenant.Name
	}
	return "wikictl render " + flag + " " + s.tenant.Name
}

func readOnlyLeft(s *subject, r *reporter) {
	if d := s.state(); d != nil && !d.ReadOnly.IsZero() {
		path := s.Farm.Layout().ReadOnly(s.tenant.Name)
		r.say(s.tenant.Position, "", "rm "+path, "it has been read-only since %s UTC by %s", d.ReadOnly.UTC().Format(time.DateTime), path)
	}
}

func maintenanceLeft(s *subject, r *reporter) {
	if d := s.state(); d != nil && !d.Closed.IsZero() {
		path := s.Farm.Layout().Maintenance(s.tenant.Name)
		r.say(s.tenant.Position, "", "rm "+path, "readers have seen the maintenance page %s since %s UTC", path, d.Closed.UTC().Format(time.DateTime))
	}
}

func brokenLinks(s *subject, r *reporter) {
	d := s.state()
	if d == nil || len(d.Broken) == 0 {
		return
	}
	var wrong []string
	for _, b := range d.Broken {
		wrong = append(wrong, b.Path+" "+b.Why)
	}
	r.say(s.tenant.Position, "", "wikictl audit --fix", "%s", strings.Join(wrong, "; "))
}

func missingSecrets(s *subject, r *reporter) {
	d := s.state()
	if d == nil || d.Secrets == nil {
		return
	}
	if path := s.Farm.Layout().Secrets(s.tenant.Name); errors.Is(d.Secrets, fs.ErrNotExist) {
		r.say(s.tenant.Position, "", "restore it from a backup", "%s is missing", path)
		return
	}
	r.say(s.tenant.Position, "", "", "%s", d.Secrets)
}

func missingFiles(s *subject, r *reporter) {
	if d := s.state(); d != nil {
		if paths := changed(d.Changes, deploy.Add); len(paths) > 0 {
			r.say(s.tenant.Position, "", s.rendering("--write"), "missing: %s", strings.Join(paths, ", "))
		}
	}
}

// missing reports a missing folder that a wiki writes into.
func missing(folder func(l tenants.Layout, name string) string, hint string) func(*subject, *reporter) {
	return func(s *subject, r *reporter) {
		path := folder(s.Farm.Layout(), s.tenant.Name)
		if d := s.state(); d != nil && slices.Contains(d.Missing, path) {
			r.say(s.tenant.Position, "", hint, "%s is missing", path)
		}
	}
}

func futureCaches(s *subject, r *reporter) {
	if d := s.state(); d != nil && len(d.Ahead) > 0 {
		r.say(s.tenant.Position, "", "wikictl audit --fix", "dated in the future: %s", strings.Join(d.Ahead, ", "))
	}
}

func changedFiles(s *subject, r *reporter) {
	d := s.state()
	if d == nil {
		return
	}
	if d.Uncompared != nil {
		r.say(s.tenant.Position, "", "", "could not be compared: %s", d.Uncompared)
	}
	if paths := changed(d.Changes, deploy.Edit, deploy.Delete); len(paths) > 0 {
		r.say(s.tenant.Position, "", s.rendering("--diff"), "differs from its definitions: %s", strings.Join(paths, ", "))
	}
}

// changed returns the paths of the changes of some kinds.
func changed(changes []deploy.Change, kinds ...deploy.Kind) []string {
	var paths []string
	for _, c := range changes {
		if slices.Contains(kinds, c.Kind) {
			paths = append(paths, c.Path)
		}
	}
	return paths
}

func wrongModes(s *subject, r *reporter) {
	s.rights(r, permissions.Rights.WrongMode, permissions.Rights.ModeText)
}

func wrongOwners(s *subject, r *reporter) {
	s.rights(r, permissions.Rights.WrongOwner, permissions.Rights.OwnerText)
}

// rights reports the files with wrong rights.
func (s *subject) rights(r *reporter, wrong func(permissions.Rights) bool, text func(permissions.Rights) string) {
	if d := s.state(); d != nil {
		if found := describe(d.Rights, wrong, text); found != "" {
			r.say(s.tenant.Position, "", "wikictl audit --fix", "%s", found)
		}
	}
}

func describe(all []permissions.Rights, wrong func(permissions.Rights) bool, text func(permissions.Rights) string) string {
	var found []string
	for _, one := range all {
		if wrong(one) {
			found = append(found, one.Path+" "+text(one))
		}
	}
	return strings.Join(found, "; ")
}

func unusedReleases(s *subject, r *reporter) {
	if d := s.state(); d != nil {
		if unused := deploy.Unused(d.Inspection, d.Needed); len(unused) > 0 {
			r.say(s.tenant.Position, "", "wikictl audit --fix", "%s in %s", Numbered("release", unused), s.Farm.Layout().Releases(s.tenant.Name))
		}
	}
}

// Numbered returns "release 3", or "releases 3, 4".
func Numbered(noun string, numbers []int) string {
	if len(numbers) > 1 {
		noun += "s"
	}
	return noun + " " + strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "), "[]")
}

func halfFiles(s *subject, r *reporter) {
	d := s.state()
	if d == nil {
		return
	}
	if paths := d.AllHalfWritten(); len(paths) > 0 {
		r.say(s.tenant.Position, "", "wikictl audit --fix", "left by a killed run: %s", strings.Join(paths, ", "))
	}
}
