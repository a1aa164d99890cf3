package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bigSQL fills a wiki of 1.39. The rows refer to each other as MediaWiki's own do, but
// revisions have no text: nothing that an updater does reads it.
//
//go:embed big.sql
var bigSQL string

// big measures the upgrade of one wiki with many rows: how long it is read-only with
// update.php alone, and with wikictl.
type big struct {
	*upgrading
	pages int
}

// bigRun is the result of one way to upgrade a big wiki, in seconds.
type bigRun struct {
	way             string
	readOnly, total float64
	forecast        forecast          // made before
	phases          phases            // of wikictl
	tables          map[string]string // definition, and digest of rows, by name
}

// forecast is the part of a plan about the duration of a wiki's upgrade, in seconds.
type forecast struct {
	Seconds  float64 // read-only
	Forecast phases
}

// phases are the durations of the parts of an upgrade in seconds; all but ahead are read-only.
type phases struct{ Ahead, Backup, Update, Rest float64 }

func (b *big) run(ctx context.Context) error { return b.onWikis(ctx, b.fill, b.compare) }

func (b *big) compare(ctx context.Context) error {
	plain, err := b.plain(ctx)
	if err != nil {
		return err
	}
	own, err := b.wikictl(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("a wiki of %d pages, %d revisions, %d links, 1.39 to 1.43\n%-28s %10s %10s %8s\n", b.pages, 3*b.pages, 10*b.pages, "way", "seconds", "forecast", "ratio")
	printForecast("update.php, read-only", plain.readOnly, plain.forecast.Forecast.Update)
	want, took := own.forecast.Forecast, own.phases
	printForecast(own.way+", in all", own.total, own.forecast.Seconds+want.Ahead)
	printForecast("  read-only", own.readOnly, own.forecast.Seconds)
	printForecast("    backup", took.Backup, want.Backup)
	printForecast("    update.php", took.Update, want.Update)
	printForecast("    the rest", took.Rest, want.Rest)
	printForecast("  ahead of it", took.Ahead, want.Ahead)
	fmt.Printf("read-only is %.1f times shorter, the whole %.1f times\n", plain.readOnly/own.readOnly, plain.total/own.total)
	if differ := differences(plain.tables, own.tables); len(differ) > 0 {
		return fmt.Errorf("the tables differ from those of update.php: %s", strings.Join(differ, ", "))
	}
	fmt.Printf("all %d tables are as update.php leaves them\n", len(own.tables))
	return nil
}

func printForecast(what string, took, forecast float64) {
	fmt.Printf("%-28s %10.1f %10.1f %8.2f\n", what, took, forecast, forecast/took)
}

// fill makes the wiki big.
func (b *big) fill(ctx context.Context) error {
	n := func(count int) string { return strconv.Itoa(max(count, 1)) }
	numbers := strings.NewReplacer("{pages}", n(b.pages), "{revisions}", n(3*b.pages), "{comments}", n(b.pages/10), "{pagelinks}", n(4*b.pages),
		"{links}", n(2*b.pages), "{templates}", n(max(b.pages/100, 10)), "{changes}", n(b.pages/2))
	start := time.Now()
	_, err := sql(ctx, b.server, bigDatabase, numbers.Replace(bigSQL))
	fmt.Fprintf(os.Stderr, "testbed: %d pages made in %.0f s\n", b.pages, time.Since(start).Seconds())
	return err
}

// bigDatabase is the database of the only wiki.
const bigDatabase = "wiki_w0"

// plain upgrades with MediaWiki's updater alone: the wiki has to be read-only all the
// time.
func (b *big) plain(ctx context.Context) (r bigRun, err error) {
	r.way = "update.php"
	if r.forecast, err = b.foresee(ctx, "--ahead", "no"); err != nil {
		return r, err
	}
	c, err := b.measure(ctx, b.loop(r.way, b.updater()))
	if err != nil {
		return r, err
	}
	r.readOnly, r.total = c.wall, c.wall
	r.tables, err = b.tables(ctx)
	return r, err
}

// wikictl upgrades with wikictl, after it estimated the time.
func (b *big) wikictl(ctx context.Context) (r bigRun, err error) {
	r.way = "wikictl upgrade"
	if r.forecast, err = b.foresee(ctx); err != nil {
		return r, err
	}
	var result struct {
		Tenants []struct {
			Steps []struct {
				Name    string
				Seconds float64
			}
		}
	}
	start := time.Now()
	if err := b.document(ctx, &result, 0); err != nil {
		return r, err
	}
	r.total = time.Since(start).Seconds()
	closed := false
	for _, s := range result.Tenants[0].Steps {
		if closed = closed || s.Name == "read-only"; !closed {
			r.phases.Ahead += s.Seconds
			continue
		}
		r.readOnly += s.Seconds
		switch s.Name {
		case "backup":
			r.phases.Backup += s.Seconds
		case "update.php":
			r.phases.Update += s.Seconds
		default:
			r.phases.Rest += s.Seconds
		}
	}
	fmt.Fprintf(os.Stderr, "testbed: wikictl upgrade: %.1f s\n", r.total)
	r.tables, err = b.tables(ctx)
	return r, err
}

// foresee brings the state folder back, and returns the plan's forecast for the only wiki.
func (b *big) foresee(ctx context.Context, flags ...string) (f forecast, err error) {
	if err := b.back(ctx); err != nil {
		return f, err
	}
	var plan struct{ Tenants []struct{ Details forecast } }
	if err := b.document(ctx, &plan, 1, append(flags, "--dry-run")...); err != nil {
		return f, err
	}
	if len(plan.Tenants) != 1 || plan.Tenants[0].Details.Seconds == 0 {
		return f, fmt.Errorf("the plan has no forecast for one wiki: %+v", plan)
	}
	return plan.Tenants[0].Details, nil
}

// document runs an upgrade, checks its exit code and decodes its JSON.
func (b *big) document(ctx context.Context, into any, want int, flags ...string) error {
	way := b.wikictlWay("wikictl upgrade", append(flags, "--format", "json")...)
	cmd := program(ctx, way.command)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		return err
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		return fmt.Errorf("wikictl upgrade %v: exit code %d, want %d: %s%s", flags, got, want, tail(out), stderr.String())
	}
	return json.Unmarshal(out, into)
}

// passing lists the tables whose rows depend on the time, or on page views since.
var passing = []string{"job", "l10n_cache", "module_deps", "objectcache", "querycache_info", "updatelog"}

// byTarget lists tables with rows that refer to ids that depend on the order of the work.
var byTarget = map[string]string{
	"linktarget":    "SELECT SUM(CRC32(CONCAT_WS('|', lt_namespace, lt_title))) FROM linktarget",
	"pagelinks":     "SELECT SUM(CRC32(CONCAT_WS('|', pl_from, pl_from_namespace, lt_namespace, lt_title))) FROM pagelinks JOIN linktarget ON lt_id = pl_target_id",
	"templatelinks": "SELECT SUM(CRC32(CONCAT_WS('|', tl_from, tl_from_namespace, lt_namespace, lt_title))) FROM templatelinks JOIN linktarget ON lt_id = tl_target_id",
}

// tables reads the definitions of all tables, and digests of their rows.
func (b *big) tables(ctx context.Context) (map[string]string, error) {
	list, err := sql(ctx, b.server, bigDatabase, "SHOW TABLES")
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, name := range strings.Fields(list) {
		ask := byTarget[name]
		switch {
		case slices.Contains(passing, name):
			ask = "SELECT 'not compared'"
		case ask == "":
			ask = "CHECKSUM TABLE " + name
		}
		text, err := sql(ctx, b.server, bigDatabase, "SHOW CREATE TABLE "+name+"; SELECT COUNT(*) FROM "+name+" WHERE '"+name+"' NOT IN ('"+strings.Join(passing, "', '")+"'); "+ask)
		if err != nil {
			return nil, err
		}
		found[name] = withoutNumber(text)
	}
	return found, nil
}

// withoutNumber removes AUTO_INCREMENT from a definition: it depends on page views since.
func withoutNumber(text string) string {
	before, after, found := strings.Cut(text, " AUTO_INCREMENT=")
	if !found {
		return text
	}
	return before + strings.TrimLeft(after, "0123456789")
}

// differences lists the tables that differ or are missing.
func differences(want, got map[string]string) (names []string) {
	for name, text := range want {
		if got[name] != text {
			names = append(names, name)
		}
	}
	for name := range got {
		if _, known := want[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
