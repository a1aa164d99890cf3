package rules

import (
	"fmt"
	"slices"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants/audit"
)

// farmRules are about files that are no one tenant's.
var farmRules = []rule{
	{Rule: audit.Rule{
		ID: "default-vhost", Severity: audit.Error,
		What:      "The virtual host for names of no wiki is missing or is not what wikictl writes.",
		Why:       "The web server may answer for any name with some wiki.",
		Repair:    "Run wikictl render --write for any wiki.",
		Reference: "nginx: How nginx processes a request",
	}, observedFarm: wrongDefault},
	{Rule: audit.Rule{
		ID: "folder-mode", Severity: audit.Error,
		What:      "Others than wikictl's user may write a folder of the state folder, or look into secrets.",
		Why:       "Whoever can write there serves what they like.",
		Repair:    "wikictl audit --fix sets mode and owner.",
		Reference: "Manual:Security",
	}, observedFarm: wrongFolders},
	{Rule: audit.Rule{
		ID: "switch-interrupted", Severity: audit.Warning,
		What:      "A run was killed between switching releases and the web server's reload.",
		Why:       "The web server may still serve, or be about to serve, something else than is on disk.",
		Repair:    "Run wikictl render --write for any wiki, which finishes it.",
		Reference: "nginx: Controlling nginx",
	}, observedFarm: interruptedSwitch},
	{Rule: audit.Rule{
		ID: "vhost-stray", Severity: audit.Error,
		What:      "The web server or php-fpm includes a file of a wiki that neither the definitions nor the ledger have.",
		Why:       "Something is served that nobody here knows of, or keeps the web server from starting.",
		Repair:    "Put the definition back, or look at wikictl plan and run wikictl apply --all --prune.",
		Reference: "Manual:Wiki family",
	}, observedFarm: strays("wikictl plan", "vhosts", "pools")},
	{Rule: audit.Rule{
		ID: "wiki-stray", Severity: audit.Warning,
		What:      "The state folder holds files or secrets of a wiki that neither the definitions nor the ledger have.",
		Why:       "They take space, hold passwords, and are in the way of a new wiki of that name.",
		Repair:    "Put the definition back, or look at wikictl plan and run wikictl apply --all --prune, which removes its uploads, too.",
		Reference: "Manual:Wiki family",
	}, observedFarm: strays("wikictl plan", "wikis", "secrets")},
	{Rule: audit.Rule{
		ID: "backup-stray", Severity: audit.Note,
		What:      "There are dumps or logs of a wiki that neither the definitions nor the ledger have.",
		Why:       "They hold what its readers wrote, perhaps for longer than they may be kept.",
		Repair:    "Remove them when they are not needed any more.",
		Reference: "Manual:Backing up a wiki",
	}, observedFarm: strays("", "backups", "logs")},
	{Rule: audit.Rule{
		ID: "codebase-writable", Severity: audit.Error,
		What:      "The web server's user may write into a codebase.",
		Why:       "A hole in one wiki becomes code that all wikis run.",
		Repair:    "Give the tree to root: chown -R root:root, chmod -R go-w.",
		Reference: "Manual:Security",
	}, observedFarm: writableCode},
	{Rule: audit.Rule{
		ID: "codebase-settings", Severity: audit.Error,
		What:      "A codebase has a LocalSettings.php of its own.",
		Why:       "A script that is run without MW_CONFIG_FILE works on that wiki, whichever it is, and update.php upgrades it.",
		Repair:    "Move it away.",
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
		r.say(w.Farm.At("state"), "", "wikictl render --write", "%s tells of releases that were switched and not reloaded", w.Farm.Layout().Journal())
	}
}

func halfFarmFiles(w *wanted, r *reporter) {
	for _, path := range w.observed.Farm.Leftovers {
		r.say(w.Farm.At("state"), "", "wikictl audit --fix", "left by a run that was killed: %s", path)
	}
}

// strays reports what is left of tenants that are none of the farm's, one finding
// a tenant.
func strays(hint string, kinds ...string) func(w *wanted, r *reporter) {
	return func(w *wanted, r *reporter) {
		paths := map[string][]string{}
		for _, s := range w.observed.Farm.Strays {
			if slices.Contains(kinds, s.Kind) {
				paths[s.Name] = append(paths[s.Name], s.Path)
			}
		}
		for name, left := range paths {
			r.say(w.Farm.At("tenants"), "", hint, "neither the definitions nor the ledger have the wiki %s: %s", name, strings.Join(left, ", "))
		}
	}
}

func writableCode(w *wanted, r *reporter) {
	for c, seen := range w.observed.Farm.Code {
		if n := len(seen.Writable); n > 0 {
			r.say(c.Position, "codebases."+c.Name, "", "%s may be written by %s%s", seen.Writable[0], webUser(w), andMore(n-1))
		}
	}
}

// webUser is who php-fpm's workers are.
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
