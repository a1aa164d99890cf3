package rules

import (
	"fmt"
	"slices"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// farmRules check files that belong to no single tenant.
var farmRules = []rule{
	{Rule: audit.Rule{
		ID: "default-vhost", Severity: audit.Error,
		What:      "The virtual host for unknown host names is missing, or differs from the one that wikictl writes.",
		Why:       "The web server may serve some wiki for any name.",
		Repair:    "Run wikictl render --write for any wiki.",
		Reference: "nginx: How nginx processes a request",
	}, observedFarm: wrongDefault},
	{Rule: audit.Rule{
		ID: "farm-file", Severity: audit.Warning,
		What:      "A file of [files] in wikictl.toml is missing, differs from what its template makes, can't be written, or exists and is declared no more.",
		Why:       "What reads it, such as a web server or a monitoring, works with an old list of wikis.",
		Repair:    "wikictl render --write for any wiki writes and removes such files; one that wikictl did not make has to be moved away.",
		Reference: "wikictl help rendering",
	}, observedFarm: wrongFarmFiles},
	{Rule: audit.Rule{
		ID: "folder-mode", Severity: audit.Error,
		What:      "Users other than wikictl's may write to a folder of the state folder, or list its secrets.",
		Why:       "A user who can write there controls the content of the wikis.",
		Repair:    "wikictl audit --fix sets mode and owner.",
		Reference: "Manual:Security",
	}, observedFarm: wrongFolders},
	{Rule: audit.Rule{
		ID: "switch-interrupted", Severity: audit.Warning,
		What:      "A run was killed between switching releases and the web server's reload.",
		Why:       "The web server may still serve, or start to serve, another release than the one on disk.",
		Repair:    "Run wikictl render --write for any wiki, which finishes it.",
		Reference: "nginx: Controlling nginx",
	}, observedFarm: interruptedSwitch},
	{Rule: audit.Rule{
		ID: "vhost-stray", Severity: audit.Error,
		What:      "The web server or php-fpm includes a file of a wiki that is neither in the definitions nor in the ledger.",
		Why:       "The web server serves an unknown wiki, or fails to start because of it.",
		Repair:    "Restore the definition, or check wikictl plan and run wikictl apply --all --prune.",
		Reference: "Manual:Wiki family",
	}, observedFarm: strays("wikictl plan", "vhosts", "pools")},
	{Rule: audit.Rule{
		ID: "wiki-stray", Severity: audit.Warning,
		What:      "The state folder holds files or secrets of a wiki that is neither in the definitions nor in the ledger.",
		Why:       "They take space, hold passwords, and block a new wiki of that name.",
		Repair:    "Restore the definition, or check wikictl plan and run wikictl apply --all --prune, which removes its uploads, too.",
		Reference: "Manual:Wiki family",
	}, observedFarm: strays("wikictl plan", "wikis", "secrets")},
	{Rule: audit.Rule{
		ID: "backup-stray", Severity: audit.Note,
		What:      "Dumps or logs exist of a wiki that is neither in the definitions nor in the ledger.",
		Why:       "They contain users' data, perhaps for longer than it may be kept.",
		Repair:    "Remove them when they are no longer needed.",
		Reference: "Manual:Backing up a wiki",
	}, observedFarm: strays("", "backups", "logs")},
	{Rule: audit.Rule{
		ID: "codebase-writable", Severity: audit.Error,
		What:      "The web server's user may write into a codebase, or into an extension or a skin outside of it.",
		Why:       "A vulnerability in one wiki could change the code of all wikis.",
		Repair:    "Give the tree to root: chown -R root:root, chmod -R go-w.",
		Reference: "Manual:Security",
	}, observedFarm: writableCode},
	{Rule: audit.Rule{
		ID: "codebase-settings", Severity: audit.Error,
		What:      "A codebase has a LocalSettings.php of its own.",
		Why:       "A script that is run without MW_CONFIG_FILE uses that configuration, and update.php would upgrade its wiki.",
		Repair:    "Move it out of the codebase.",
		Reference: "Manual:LocalSettings.php",
	}, observedFarm: settingsInCode},
}

func wrongDefault(w *wanted, r *reporter) {
	for _, c := range w.observed.Farm.Vhost {
		problem := "is not what wikictl writes"
		if c.Kind == deploy.Add {
			problem = "is not there"
		}
		r.say(w.Farm.At("web"), "", "wikictl render --write", "%s %s", c.Path, problem)
	}
}

func wrongFarmFiles(w *wanted, r *reporter) {
	differs := map[deploy.Kind]string{
		deploy.Add: "is not there", deploy.Edit: "is not what its template makes", deploy.Mode: "has another mode or owner", deploy.Delete: "is declared no more",
	}
	for _, c := range w.observed.Farm.Files {
		r.say(w.fileAt(c.Path), "", "wikictl render --write", "%s %s", c.Path, differs[c.Kind])
	}
	for _, f := range w.observed.Farm.Faults {
		r.say(w.fileAt(f.Path), "", "", "%s: %s", f.Path, f.Err)
	}
}

// fileAt is where wikictl.toml declares a file of the farm as a whole.
func (w *wanted) fileAt(path string) tenants.Position {
	for _, f := range w.Farm.Files {
		if f.Path == path {
			return f.Position
		}
	}
	return w.Farm.At("files")
}

func wrongFolders(w *wanted, r *reporter) {
	for _, one := range w.observed.Farm.Rights {
		var wrong []string
		if one.WrongMode() {
			wrong = append(wrong, one.ModeText())
		}
		if one.WrongOwner() {
			wrong = append(wrong, one.OwnerText())
		}
		r.say(w.Farm.At("state"), "", "wikictl audit --fix", "%s %s", one.Path, strings.Join(wrong, " and "))
	}
}

func interruptedSwitch(w *wanted, r *reporter) {
	if w.observed.Farm.Journal {
		r.say(w.Farm.At("state"), "", "wikictl render --write", "%s lists releases that were switched but not reloaded", w.Farm.Layout().Journal())
	}
}

func halfFarmFiles(w *wanted, r *reporter) {
	for _, path := range w.observed.Farm.HalfWritten {
		r.say(w.Farm.At("state"), "", "wikictl audit --fix", "left by a killed run: %s", path)
	}
}

// strays reports the files of tenants that are not the farm's, one finding per tenant.
func strays(hint string, kinds ...string) func(w *wanted, r *reporter) {
	return func(w *wanted, r *reporter) {
		paths := map[string][]string{}
		for _, s := range w.observed.Farm.Strays {
			if slices.Contains(kinds, s.Kind) {
				paths[s.Name] = append(paths[s.Name], s.Path)
			}
		}
		for name, left := range paths {
			r.say(w.Farm.At("tenants"), "", hint, "the wiki %s is neither in the definitions nor in the ledger: %s", name, strings.Join(left, ", "))
		}
	}
}

func writableCode(w *wanted, r *reporter) {
	for c, seen := range w.observed.Farm.Code {
		if n := len(seen.Writable); n > 0 {
			r.say(c.Position, "codebases."+c.Name, "", "%s may be written by %s%s", seen.Writable[0], webUser(w), andMore(n-1))
		}
	}
	for key, seen := range w.observed.Farm.Outside {
		if n := len(seen.Writable); n > 0 {
			r.say(w.Farm.At(key), key, "", "%s may be written by %s%s", seen.Writable[0], webUser(w), andMore(n-1))
		}
	}
}

// webUser describes the user of php-fpm's workers.
func webUser(w *wanted) string {
	if w.Farm.Web.User == "" {
		return "everybody"
	}
	return w.Farm.Web.User
}

func andMore(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", and so may %d more that were looked at", n)
}

func settingsInCode(w *wanted, r *reporter) {
	for c, seen := range w.observed.Farm.Code {
		if seen.Settings != "" {
			r.say(c.Position, "codebases."+c.Name, "move it away", "%s: wikis of this farm have theirs elsewhere", seen.Settings)
		}
	}
}
