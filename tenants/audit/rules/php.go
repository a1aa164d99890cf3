package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikictl/php"
	"wikictl/tenants/audit"
)

// phpRules compare the two PHPs that every wiki runs on.
var phpRules = []rule{
	{Rule: audit.Rule{
		ID: "php-differs", Severity: audit.Warning,
		What:      "php-fpm and the command line's PHP differ in version, extensions or relevant settings.",
		Why:       "update.php and jobs may write data that the web side reads differently; after an update of PHP, php-fpm may still run the old one.",
		Repair:    "Restart php-fpm; name its PHP in [codebases]; give both the same extensions and php.ini.",
		Reference: "Manual:Installation requirements",
	}, observedFarm: differingPHP},
	{Rule: audit.Rule{
		ID: "php-slow", Severity: audit.Warning,
		What:      "php-fpm lacks opcache or APCu, or has too little memory for the code.",
		Why:       "Every request compiles MediaWiki again, or runs without its cache.",
		Repair:    "Turn them on; raise opcache.memory_consumption and opcache.max_accelerated_files; 256 and 30000 hold two versions of MediaWiki.",
		Reference: "Manual:Performance tuning",
	}, observedFarm: slowPHP},
	{Rule: audit.Rule{
		ID: "php-unasked", Severity: audit.Note,
		What:      "php-fpm could not be queried.",
		Why:       "Its differences from the command line's PHP are unknown.",
		Repair:    "wikictl audit --fix writes the script for the query; php-fpm must be able to read the folder run in the state folder.",
		Reference: "Manual:Installation requirements",
	}, observedFarm: unaskedPHP},
}

// ownExtensions lists the extensions that only one of the two can have, or that do not
// matter to MediaWiki.
var ownExtensions = []string{"cgi-fcgi", "pcntl", "readline", "Zend OPcache"}

// ownSettings lists the settings that may differ: the command line has no memory limit.
var ownSettings = []string{"memory_limit"}

func differingPHP(w *wanted, r *reporter) {
	served := w.observed.Farm.FPM
	if served == nil {
		return
	}
	for _, c := range w.observed.Farm.Programs() {
		if found := differences(w.observed.Farm.CLI[c], *served); len(found) > 0 {
			r.say(c.Position, "codebases."+c.Name+".php", "restart php-fpm, or give both the same php.ini", "%s and php-fpm at %s differ: %s", c.PHP, w.observed.Farm.FPMAt, strings.Join(found, "; "))
		}
	}
}

// differences returns the relevant differences of the two PHPs.
func differences(line, served php.Platform) []string {
	var found []string
	if line.Version != served.Version {
		found = append(found, fmt.Sprintf("version %s and %s", line.Version, served.Version))
	}
	if only := without(line.Extensions, served.Extensions); len(only) > 0 {
		found = append(found, "only the command line has "+strings.Join(only, ", "))
	}
	if only := without(served.Extensions, line.Extensions); len(only) > 0 {
		found = append(found, "only php-fpm has "+strings.Join(only, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(line.Settings)) {
		if a, b := line.Settings[name], served.Settings[name]; a != b && !slices.Contains(ownSettings, name) {
			found = append(found, fmt.Sprintf("%s %q and %q", name, a, b))
		}
	}
	return found
}

// without returns the extensions of a that b lacks.
func without(a, b []string) []string {
	return slices.Sorted(func(yield func(string) bool) {
		for _, name := range a {
			if !slices.Contains(b, name) && !slices.Contains(ownExtensions, name) && !yield(name) {
				return
			}
		}
	})
}

func slowPHP(w *wanted, r *reporter) {
	served := w.observed.Farm.FPM
	if served == nil {
		return
	}
	var found []string
	for _, p := range []struct {
		slow bool
		why  string
	}{
		{!served.OpCache, "opcache is off (opcache.enable)"},
		{served.OpCacheFull, "opcache ran out of memory (opcache.memory_consumption)"},
		{served.OpCacheKeysFull, "opcache ran out of keys (opcache.max_accelerated_files)"},
		{!served.APCu, "APCu is not loaded or off (apc.enabled)"},
	} {
		if p.slow {
			found = append(found, p.why)
		}
	}
	if len(found) > 0 {
		r.say(w.Farm.At("web.fpm"), "web.fpm", "", "php-fpm at %s: %s", w.observed.Farm.FPMAt, strings.Join(found, "; "))
	}
}

func unaskedPHP(w *wanted, r *reporter) {
	if err := w.observed.Farm.FPMSilent; err != nil {
		r.say(w.Farm.At("web.fpm"), "web.fpm", "wikictl audit --fix", "%s", err)
	}
}
