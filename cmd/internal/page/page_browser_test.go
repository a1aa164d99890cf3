package page

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReportInABrowser(t *testing.T) {
	browser := openBrowser(t)
	for _, tc := range []struct {
		name string
		test func(*testing.T, context.Context)
	}{
		{"sorts", sorts},
		{"searches", searches},
		{"opens a tenant", opensATenant},
		{"loads and runs nothing", loadsAndRunsNothing},
		{"light and dark", inLightAndDark},
		{"phone", onAPhone},
		{"10,000 wikis", ofManyWikis},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.test(t, browser) })
	}
}

// namesBySize are the tenants of a report, largest first and unknown sizes last.
func namesBySize(r FarmReport, direction float64) []string {
	rows, _ := reportRows(r, nil)
	slices.SortStableFunc(rows, func(a, b pageRow) int {
		key := func(row pageRow) float64 {
			if row.Size.Key < 0 {
				return math.Inf(1)
			}
			return row.Size.Key * direction
		}
		return int(math.Copysign(1, key(a)-key(b)))
	})
	var names []string
	for _, row := range rows {
		if row.Size.Key >= 0 {
			names = append(names, row.Name)
		}
	}
	return names
}

func sorts(t *testing.T, browser context.Context) {
	r := sampleFarm(40)
	b := openTab(t, browser, writtenReport(t, r))
	if got := b.names(); !slices.IsSorted(got) || len(got) != 40 {
		t.Errorf("at first: %q", got)
	}
	b.click(`[data-column="size"] button`)
	want := namesBySize(r, -1)
	if diff := cmp.Diff(want, b.names()[:len(want)]); diff != "" {
		t.Errorf("largest first: %s", diff)
	}
	if got := b.texts(`[aria-sort="descending"]`); len(got) != 1 || got[0] != "Size" {
		t.Errorf("sorted by %q", got)
	}
	b.enter(`[data-column="size"] button`)
	if diff := cmp.Diff(namesBySize(r, 1), b.names()[:len(want)]); diff != "" {
		t.Errorf("smallest first, by keyboard: %s", diff)
	}
	b.click(`[data-column="findings"] button`)
	if worst := b.texts(`[data-label="Findings"]`)[0]; !strings.HasPrefix(worst, "1 error") {
		t.Errorf("the worst is %q", worst)
	}
	b.quiet()
}

func searches(t *testing.T, browser context.Context) {
	b := openTab(t, browser, writtenReport(t, sampleFarm(40)))
	b.search("WIKI01 recipes")
	if got := b.names(); !slices.Equal(got, []string{"wiki010", "wiki018"}) {
		t.Errorf("found %q", got)
	}
	if got := b.texts("#matches")[0]; got != "2 of 40 match" {
		t.Errorf("says %q", got)
	}
	b.search("no such wiki")
	if got := b.texts("#matches")[0]; got != "0 of 40 match" || len(b.names()) != 0 {
		t.Errorf("says %q", got)
	}
	b.click(`[data-find="image-type"]`)
	if got := b.names(); !slices.Equal(got, []string{"wiki007"}) {
		t.Errorf("found by rule: %q", got)
	}
	b.quiet()
}

// opensATenant: in place, also by keyboard, and what its owner wrote is text.
func opensATenant(t *testing.T, browser context.Context) {
	b := openTab(t, browser, writtenReport(t, sampleFarm(40)))
	b.search("wiki007")
	if got := b.texts(".sitename")[0]; got != hostile {
		t.Errorf("the sitename is shown as %q", got)
	}
	b.click(".open")
	finding := strings.Join(b.texts(".detail .findings li"), "|")
	for _, want := range []string{"note", "image-type", hostile + " is not a file type", "tenants/wiki007.toml:9:3", "take it out"} {
		if !strings.Contains(finding, want) {
			t.Errorf("the finding lacks %q: %q", want, finding)
		}
	}
	upgrades := b.texts(".detail tbody tr")
	if len(upgrades) != 2 || !strings.Contains(upgrades[0], "1.39.17 → 1.43.9") || !strings.Contains(upgrades[1], "1.35.14 → 1.39.17") {
		t.Errorf("upgrades: %q", upgrades)
	}
	if got := value[string](b, `document.querySelector(".open").getAttribute("aria-expanded")`); got != "true" {
		t.Errorf("aria-expanded is %q", got)
	}
	b.enter(".open")
	if left := b.texts(".detail"); len(left) != 0 {
		t.Errorf("still open: %q", left)
	}
	if address := value[string](b, `document.querySelector(".who a").href`); address != "https://wiki007.wiki.example.org/" {
		t.Errorf("links to %s", address)
	}
	b.quiet()
}

// loadsAndRunsNothing: whatever got into the page, a browser runs nothing but page.js and asks for
// nothing.
func loadsAndRunsNothing(t *testing.T, browser context.Context) {
	b := openTab(t, browser, writtenReport(t, sampleFarm(3)))
	b.quiet()
	ran := value[bool](b, `(() => { const s = document.createElement("script"); s.textContent = "window.ran = true"; document.body.append(s); return !!window.ran })()`)
	if ran {
		t.Error("a foreign script ran")
	}
	for _, load := range []string{`fetch("http://127.0.0.1:9/")`, `new Promise((yes, no) => { const i = new Image(); i.onload = yes; i.onerror = no; i.src = "http://127.0.0.1:9/" })`} {
		blocked := value[string](b, `new Promise(done => { addEventListener("securitypolicyviolation", e => done(e.blockedURI), { once: true }); `+load+`.catch(() => 0); setTimeout(() => done("nothing was blocked"), 3000) })`)
		if blocked != "http://127.0.0.1:9/" {
			t.Errorf("%s: %s", load, blocked)
		}
	}
}

func inLightAndDark(t *testing.T, browser context.Context) {
	b := openTab(t, browser, writtenReport(t, sampleFarm(40)))
	page := map[string]string{"light": "rgb(251, 251, 250)", "dark": "rgb(21, 24, 27)"}
	for scheme, want := range page {
		b.colours(scheme)
		if got := value[string](b, `getComputedStyle(document.documentElement).backgroundColor`); got != want {
			t.Errorf("%s: the page is %s, want %s", scheme, got, want)
		}
		for _, selector := range []string{"h1", "header p", ".value.error", "td .warning, td.warning", ".note", ".who a"} {
			// 4.5 to 1 is what WCAG 2.2 wants of text, success criterion 1.4.3.
			colour := value[string](b, fmt.Sprintf(`getComputedStyle(document.querySelector(%q)).color`, selector))
			if ratio := contrast(t, colour, want); ratio < 4.5 {
				t.Errorf("%s: %s is %s on %s, a contrast of %.1f", scheme, selector, colour, want, ratio)
			}
		}
	}
	b.quiet()
}

// contrast is WCAG's contrast ratio of two colours such as "rgb(1, 2, 3)".
func contrast(t *testing.T, a, b string) float64 {
	luminance := func(colour string) float64 {
		var c [3]float64
		if _, err := fmt.Sscanf(colour, "rgb(%g, %g, %g)", &c[0], &c[1], &c[2]); err != nil {
			t.Fatalf("%s: %v", colour, err)
		}
		for i := range c {
			if c[i] /= 255; c[i] <= 0.04045 {
				c[i] /= 12.92
			} else {
				c[i] = math.Pow((c[i]+0.055)/1.055, 2.4)
			}
		}
		return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func onAPhone(t *testing.T, browser context.Context) {
	r := sampleFarm(40)
	r.Tenants[0].Sitename = strings.Repeat("Donaudampfschifffahrt", 20)
	r.Missing = []string{strings.Repeat("/long/path", 30)}
	b := openTab(t, browser, writtenReport(t, r))
	b.phone()
	b.click(".open")
	if width := value[int](b, `document.documentElement.scrollWidth`); width > 390 {
		t.Errorf("the page is %d pixels wide", width)
	}
	// A row is a card: what stands side by side on a desk is below each other.
	if got := value[string](b, `getComputedStyle(document.querySelector("#tenants > tbody > tr")).display`); got != "grid" {
		t.Errorf("a row is shown as %s", got)
	}
	b.click(`[data-column="size"] button`)
	if got := b.names()[0]; got != namesBySize(r, -1)[0] {
		t.Errorf("sorted by size, %s is first", got)
	}
	b.quiet()
}

// ofManyWikis: rows are drawn a hundred at a time; sorting and searching is over all.
func ofManyWikis(t *testing.T, browser context.Context) {
	r := sampleFarm(10_000)
	html := writtenReport(t, r)
	if len(html) > 10<<20 {
		t.Errorf("the page has %d bytes", len(html))
	}
	b := openTab(t, browser, html)
	if drawn := len(b.names()); drawn != 100 {
		t.Errorf("%d rows are drawn at once", drawn)
	}
	b.click(`[data-column="size"] button`)
	if want := namesBySize(r, -1)[:100]; !slices.Equal(want, b.names()) {
		t.Error("not the largest first")
	}
	b.click("#more")
	if want := namesBySize(r, -1)[:200]; !slices.Equal(want, b.names()) {
		t.Error("not the next largest after them")
	}
	b.search("wiki9999")
	if got := b.names(); !slices.Equal(got, []string{"wiki9999"}) {
		t.Errorf("found %q", got)
	}
	for _, column := range []string{"name", "version", "server", "size", "findings", "upgrade"} {
		b.search("")
		seconds := value[float64](b, fmt.Sprintf(`(() => { const t = performance.now(); document.querySelector('[data-column="%s"] button').click(); document.body.offsetHeight; return performance.now() - t })()`, column))
		t.Logf("sorted by %s in %.0f ms", column, seconds)
	}
	b.quiet()
}
