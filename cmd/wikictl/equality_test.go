package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/internal/demo"
	"wikictl/cmd/testbed/needs"
	"wikictl/tenants/mediawiki"
)

var everyHop = flag.Bool("every-hop", false, "compare the upgrades from and to all versions that testbed soak equality unpacks")

// hop is an upgrade from one tree to another, of wikis that load the extensions that both trees
// bundle, or all extensions with tables.
type hop struct {
	from, to  string // folders of trees
	extended  bool   // with every bundled extension that has tables
	installed bool   // the old wiki is made by the old tree's own installer, without wikictl
}

func (h hop) String() string {
	if h.extended {
		return h.from + " to " + h.to + " with extensions"
	}
	return h.from + " to " + h.to
}

// An upgrade by wikictl ends with the same tables and rows as MediaWiki's updater alone,
// however it goes: with joined statements, and with rows moved ahead.
func TestUpgradeEqualsUpdatePHP(t *testing.T) {
	t.Parallel()
	hops := []hop{{"1.39", "1.43", false, false}}
	if *everyHop {
		hops = nil
		for _, extended := range []bool{true, false} {
			hops = append(hops, hop{"1.39", "1.43", extended, false}, hop{"1.35", "1.43", extended, true}, hop{"1.43", demo.Newer, extended, false})
		}
	}
	f := newFarm(t)
	f.define(0)
	trees := needs.Codebases(t)
	if *everyHop {
		f.write("wikictl.toml", f.read("wikictl.toml")+fmt.Sprintf("\n[codebases.%q]\npath = %q\n", demo.Newer, filepath.Join(trees, demo.Newer)))
	}
	for i, h := range hops {
		e := &equality{farm: f, hop: h, trees: trees, joined: fmt.Sprintf("j%d", i), ahead: fmt.Sprintf("a%d", i), plain: fmt.Sprintf("plain_%d", i)}
		e.compare()
	}
}

// equality compares three ways to go a hop, that begin with the same database.
type equality struct {
	*farm
	hop
	trees         string
	joined, ahead string // tenants
	plain         string // a database
	copied        string // when the three were alike, as MediaWiki writes times
}

// moment matches a time as MediaWiki writes it.
var moment = regexp.MustCompile(`\b20[0-9]{12}\b`)

func (e *equality) compare() {
	e.t.Helper()
	e.makeOld()
	for _, tenant := range []string{e.joined, e.ahead} {
		e.defineAs(tenant, e.to, e.to)
	}
	e.wants(e.run("upgrade", e.joined, e.ahead, "--rehearse"), "2 wikis like "+e.ahead+": passed,")
	e.run("upgrade", e.ahead, "--ahead", "only")
	for _, tenant := range []string{e.joined, e.ahead} {
		if out := e.run("upgrade", tenant, "--ahead", "no"); strings.Contains(out, "update.php's own statements") {
			e.t.Errorf("%s: %s", e.hop, out)
		}
	}
	e.script(e.to, e.state("wikis/"+e.joined+"/current/LocalSettings.php"), e.plain, "update.php", "--quick")
	for tenant, ahead := range map[string]bool{e.joined: false, e.ahead: true} {
		for _, difference := range e.differences(tenant, ahead) {
			e.t.Errorf("%s: %s: %s", e.hop, tenant, difference)
		}
	}
	e.sql("USE " + e.plain + "; UPDATE page SET page_len = page_len + 1 WHERE page_id = 1; ALTER TABLE logging DROP INDEX log_page_time")
	for tenant, ahead := range map[string]bool{e.joined: false, e.ahead: true} {
		if found := e.differences(tenant, ahead); len(found) != 2 || !strings.HasPrefix(found[0], "table logging (definition)") || !strings.HasPrefix(found[1], "table page (rows)") {
			e.t.Errorf("%s: what differs is not found: %v", e.hop, found)
		}
	}
}

// makeOld makes the wikis on the old version, with rows, and copies the first one's
// database to the second's and to a third.
func (e *equality) makeOld() {
	from := e.from
	if e.installed {
		from = "1.39"
	}
	for _, tenant := range []string{e.joined, e.ahead} {
		e.defineAs(tenant, from, e.from)
	}
	e.run("create", e.joined, e.ahead)
	old := "wiki_" + e.joined
	if e.installed {
		old = e.plain + "_old"
		e.install(old)
	} else {
		e.fill(e.state("wikis/"+e.joined+"/current/LocalSettings.php"), old)
	}
	e.still(old)
	for _, database := range []string{"wiki_" + e.joined, "wiki_" + e.ahead, e.plain} {
		if database != old {
			e.copyTo(old, database)
		}
	}
	e.copied = e.sql("SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y%m%d%H%i%S')")[0]
}

// defineAs defines a tenant on a codebase, with the extensions that have tables in another.
func (e *equality) defineAs(tenant, codebase, like string) {
	var extensions []string
	if e.extended {
		for name, c := range e.bundled(like) {
			if c {
				extensions = append(extensions, fmt.Sprintf("%q", name))
			}
		}
		slices.Sort(extensions)
	}
	e.write("tenants/"+tenant+".toml", fmt.Sprintf("name = %q\nhosts = [\"%[1]s.localhost\"]\nsitename = \"Equal\"\ncodebase = %q\nskins = [\"Vector\"]\nextensions = [%s]\n[settings]\nwgJobRunRate = 0\n",
		tenant, codebase, strings.Join(extensions, ", ")))
}

// bundled lists the extensions of a tree; true: it has tables, or another needs it that has.
func (e *equality) bundled(tree string) map[string]bool {
	e.t.Helper()
	code, err := mediawiki.Open(tree, filepath.Join(e.trees, tree))
	must(e.t, err)
	all := map[string]bool{}
	for name := range code.Extensions {
		text, err := os.ReadFile(filepath.Join(code.Path, "extensions", name, "extension.json"))
		all[name] = err == nil && strings.Contains(string(text), "LoadExtensionSchemaUpdates")
	}
	for name, c := range code.Extensions {
		for other := range c.Declared().Requires.Extensions {
			if _, found := all[other]; found && all[name] {
				all[other] = true
			}
		}
	}
	return all
}

// install has the old tree's own installer make a wiki, and fills it.
func (e *equality) install(database string) {
	folder := filepath.Join(e.demo.Dir, database)
	must(e.t, os.MkdirAll(folder, 0o755))
	settings := filepath.Join(folder, "LocalSettings.php")
	e.php(e.from, "install.php", "--confpath="+folder, "--dbserver=localhost:"+e.private().Socket, "--dbname="+database, "--dbuser=root", "--dbpass=",
		"--installdbuser=root", "--server=http://old.localhost", "--scriptpath=", "--pass=long-password-12", "Old", "Admin")
	text, err := os.ReadFile(settings)
	must(e.t, err)
	for name, tables := range e.bundled(e.from) {
		if e.extended && tables {
			text = fmt.Appendf(text, "wfLoadExtension( '%s' );\n", name)
		}
	}
	must(e.t, os.WriteFile(settings, text, 0o644))
	e.script(e.from, settings, database, "update.php", "--quick")
	e.fill(settings, database)
}

// script runs a script of a tree with a wiki's settings on a database, as root.
func (e *equality) script(tree, settings, database, name string, args ...string) {
	e.t.Helper()
	folder := filepath.Join(e.demo.Dir, "scripts")
	must(e.t, os.MkdirAll(folder, 0o755))
	config := filepath.Join(folder, database+".php")
	must(e.t, os.WriteFile(config, fmt.Appendf(nil, "<?php\nrequire %q;\n$wgDBname = %q;\n$wgDBuser = $wgDBadminuser = 'root';\n$wgDBpassword = $wgDBadminpassword = '';\n$wgCacheDirectory = %q;\n$wgLocalisationCacheConf = [ 'store' => 'array', 'manualRecache' => false, 'storeDirectory' => %[3]q ] + $wgLocalisationCacheConf;\n",
		settings, database, folder), 0o600))
	e.php(tree, name, append([]string{"--conf=" + config}, args...)...)
}

// php runs a maintenance script of a tree.
func (e *equality) php(tree, name string, args ...string) {
	e.t.Helper()
	// Old code calls PHP's functions in ways for which PHP 8 gives warnings.
	args = append([]string{"-d", "error_reporting=4437", filepath.Join(e.trees, tree, "maintenance", name)}, args...)
	if out, err := exec.Command(needs.PHP(e.t), args...).CombinedOutput(); err != nil {
		e.t.Fatalf("%s: %s %v: %v\n%s", tree, name, args, err, out)
	}
}

// copyTo makes a database equal to another.
func (e *equality) copyTo(from, to string) {
	e.t.Helper()
	socket := "--socket=" + e.private().Socket
	e.sql("DROP DATABASE IF EXISTS " + to + "; CREATE DATABASE " + to)
	line := fmt.Sprintf("mariadb-dump --no-defaults %[1]s --single-transaction %[2]s | mariadb --no-defaults %[1]s %[3]s", socket, from, to)
	if out, err := exec.Command("bash", "-euo", "pipefail", "-c", line).CombinedOutput(); err != nil {
		e.t.Fatalf("%s: %v: %s", line, err, out)
	}
}

// differences compares a tenant's database with the one that MediaWiki's updater upgraded.
func (e *equality) differences(tenant string, ahead bool) (found []string) {
	e.t.Helper()
	database := "wiki_" + tenant
	e.still(database)
	want, got := e.tables(e.plain), e.tables(database)
	if !slices.Equal(want, got) {
		return []string{fmt.Sprintf("the tables are %v, and update.php makes %v", got, want)}
	}
	for _, table := range want {
		if slices.Contains(mediawiki.CacheTables(), table) {
			continue
		}
		for i, ask := range []func(database, table string, ahead bool) []string{e.definition, e.rows} {
			if want, got := ask(e.plain, table, ahead), ask(database, table, ahead); !slices.Equal(want, got) {
				found = append(found, fmt.Sprintf("table %s (%s): %s", table, [2]string{"definition", "rows"}[i], firstDifference(want, got)))
			}
		}
	}
	return found
}

// tables lists the tables of a database.
func (e *equality) tables(database string) []string {
	return e.sql("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + database + "' AND TABLE_NAME NOT LIKE 'wikictl%' ORDER BY 1")
}

// definition is the statement that makes a table. Where rows were moved ahead, the next
// number may be another one.
func (e *equality) definition(database, table string, ahead bool) []string {
	lines := e.lines("SHOW CREATE TABLE " + database + ".`" + table + "`")
	for i := range lines {
		if before, after, found := strings.Cut(lines[i], "AUTO_INCREMENT="); found && ahead {
			lines[i] = before + strings.TrimLeft(after, "0123456789")
		}
	}
	return lines
}

// rows lists the rows of a table. If rows were moved ahead, link targets have other ids: rows
// then replaces ids of link targets by the targets.
func (e *equality) rows(database, table string, ahead bool) []string {
	columns := e.sql(fmt.Sprintf("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '%s' AND TABLE_NAME = '%s' ORDER BY ORDINAL_POSITION", database, table))
	order := make([]string, len(columns))
	for i, name := range columns {
		order[i] = fmt.Sprint(i + 1)
		columns[i] = "`" + name + "`"
		switch {
		case !ahead:
		case name == "lt_id":
			columns[i] = "0"
		case strings.HasSuffix(name, "l_target_id"):
			columns[i] = fmt.Sprintf("(SELECT CONCAT(lt_namespace, ':', lt_title) FROM %s.linktarget WHERE lt_id = `%s`)", database, name)
		}
	}
	lines := e.lines(fmt.Sprintf("SELECT %s FROM %s.`%s` ORDER BY %s", strings.Join(columns, ", "), database, table, strings.Join(order, ", ")))
	for i := range lines {
		lines[i] = moment.ReplaceAllStringFunc(lines[i], func(at string) string {
			if at >= e.copied { // the updater made the row, such as an account of AbuseFilter
				return "since"
			}
			return at
		})
	}
	return lines
}

// lines asks the server, and returns its lines.
func (e *equality) lines(query string) []string {
	e.t.Helper()
	out, err := exec.Command("mariadb", "--no-defaults", "--socket="+e.private().Socket, "-N", "-e", query).CombinedOutput()
	if err != nil {
		e.t.Fatalf("%s: %s", query, out)
	}
	return strings.Split(string(out), "\n")
}

func firstDifference(want, got []string) string {
	for i := range max(len(want), len(got)) {
		w, g := "(nothing)", "(nothing)"
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			return fmt.Sprintf("%d and %d lines\n got %.2000s\nwant %.2000s", len(got), len(want), g, w)
		}
	}
	return "nothing"
}
