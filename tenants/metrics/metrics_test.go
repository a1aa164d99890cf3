package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// Requests during a measurement, or while it is fresh, share it.
func TestTierIsShared(t *testing.T) {
	var measured atomic.Int32
	hold := make(chan struct{})
	tier := newTier(time.Hour, func(context.Context) {
		measured.Add(1)
		<-hold
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { tier.loop(ctx); close(ended) }()
	first, second := tier.ask(), tier.ask()
	if first != second {
		t.Error("two that ask at once wait for different measurements")
	}
	close(hold)
	<-first
	<-tier.ask()
	if n := measured.Load(); n != 1 {
		t.Errorf("measured %d times, want 1", n)
	}
	tier.fresh = 0
	<-tier.ask()
	if n := measured.Load(); n != 2 {
		t.Errorf("measured %d times after it was stale, want 2", n)
	}
	stop()
	<-ended
}

// A scrape returns when its patience is over, although a measurement hangs.
func TestScrapeDoesNotHang(t *testing.T) {
	hold := make(chan struct{})
	e := New(Options{Fresh: time.Hour, Version: "test"})
	e.fast = newTier(time.Hour, func(context.Context) { <-hold })
	e.slow = newTier(time.Hour, func(context.Context) { <-hold })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { e.Run(ctx); close(ended) }()
	e.wait(t.Context(), time.Millisecond)
	if text, err := e.Text(t.Context()); err != nil || !strings.Contains(string(text), `wikictl_build_info{version="test"} 1`) {
		t.Errorf("%v %s", err, text)
	}
	close(hold)
	stop()
	<-ended
}

func TestPatience(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": 8 * time.Second, "x": 8 * time.Second, "-1": 8 * time.Second, "0": 8 * time.Second, "10": 8 * time.Second, "1e300": 8 * time.Second,
		"NaN": 8 * time.Second, "5": 4 * time.Second, "1": 500 * time.Millisecond,
	} {
		if got := patience(header, 8*time.Second); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestTargets(t *testing.T) {
	f := &tenants.Farm{Tenants: []*tenants.Tenant{{Name: "a", Hosts: []string{"a", "b"}}, {Name: "c", Hosts: []string{"c"}}, {Name: "d", Hosts: []string{"d"}}}}
	rows := map[string]ledger.Tenant{"a": {State: ledger.Ready}, "c": {State: ledger.Recovering}}
	if got := targets(f, rows); len(got) != 2 || got[0] != (target{"a", "a"}) || got[1] != (target{"a", "b"}) {
		t.Errorf("%v", got)
	}
	if got := targets(f, nil); len(got) != 4 {
		t.Errorf("without a ledger: %v", got)
	}
}

// A ledger that was never read does not make a wiki one that is to be created.
func TestStateWithoutLedger(t *testing.T) {
	e := New(Options{})
	e.farm = &tenants.Farm{Tenants: []*tenants.Tenant{{Name: "a", Server: &tenants.Server{Name: "main"}, Codebase: &tenants.Codebase{Name: "1.43"}}}}
	for want, rows := range map[string]map[string]ledger.Tenant{"unknown": nil, "uncreated": {}} {
		e.state.rows = rows
		text, err := e.Text(t.Context())
		if err != nil || !strings.Contains(string(text), `state="`+want+`",wiki="a"`) {
			t.Errorf("%v: %s\nis not %s", err, text, want)
		}
	}
}

// A farm whose files are wrong is measured as it was before.
func TestWrongDefinitions(t *testing.T) {
	wrong := errors.New("wrong")
	fail := false
	e := New(Options{
		Load: func(context.Context, *tenants.Farm) (*tenants.Farm, error) {
			if fail {
				return nil, wrong
			}
			return &tenants.Farm{State: t.TempDir()}, nil
		},
		Open: func(*tenants.Farm) (*session.Host, error) { return nil, wrong },
	})
	if err := e.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	fail = true
	if err := e.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := e.Text(t.Context())
	if err != nil || !strings.Contains(string(text), "wikictl_definitions_valid 0") || !strings.Contains(string(text), `wikictl_collector_success{collector="ledger"} 0`) {
		t.Errorf("%v %s", err, text)
	}
	if err := New(e.options).Once(t.Context()); !errors.Is(err, wrong) {
		t.Errorf("a farm that was never right: %v", err)
	}
}

// The measurements, which run side by side, read the farm's files one after the other.
func TestLoadsDoNotOverlap(t *testing.T) {
	var loading, overlaps atomic.Int32
	e := New(Options{Load: func(context.Context, *tenants.Farm) (*tenants.Farm, error) {
		if loading.Add(1) > 1 {
			overlaps.Add(1)
		}
		time.Sleep(time.Millisecond)
		loading.Add(-1)
		return nil, nil
	}})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { e.load(t.Context()) })
	}
	wait.Wait()
	if n := overlaps.Load(); n > 0 {
		t.Errorf("%d of 8 loads overlapped", n)
	}
}

func TestBytesBelow(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a": "12345", "b c/d": "123", "b c/e\n": "1"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if n, err := bytesBelow(t.Context(), dir); n != 9 || err != nil {
		t.Errorf("%d %v", n, err)
	}
}

// Every metric that the rules and the dashboard name is one that there is, Prometheus takes
// the rules, and it parses each expression of the dashboard.
func TestRulesAndDashboard(t *testing.T) {
	source, err := os.ReadFile("collect.go")
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"rules": Rules, "dashboard": Dashboard} {
		for _, name := range regexp.MustCompile(`wikictl_[a-z_]+`).FindAllString(text, -1) {
			if !strings.Contains(string(source), `describe("`+strings.TrimPrefix(name, "wikictl_")+`"`) {
				t.Errorf("the %s name %s, which there is not", what, name)
			}
		}
	}
	var d struct {
		Title  string
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(Dashboard), &d); err != nil || d.Title == "" || len(d.Panels) < 10 {
		t.Fatalf("%v %+v", err, d)
	}
	rules := "groups:\n  - name: dashboard\n    rules:\n"
	for _, p := range d.Panels {
		if len(p.Targets) != 1 || p.Title == "" {
			t.Errorf("%+v", p)
		}
		expr := strings.ReplaceAll(p.Targets[0].Expr, "$wiki", ".*")
		rules += "      - record: panel\n        labels: {panel: '" + strings.Repeat("p", p.ID) + "'}\n        expr: '" + expr + "'\n"
	}
	promtool := needs.Program(t, "promtool")
	for name, text := range map[string]string{"rules.yaml": Rules, "dashboard.yaml": rules} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(promtool, "check", "rules", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// A browser finds the way to the metrics, and nothing else is served.
func TestHandler(t *testing.T) {
	e := New(Options{Version: "test", Load: func(context.Context, *tenants.Farm) (*tenants.Farm, error) { return nil, errors.New("none") }, Patience: time.Millisecond})
	for path, want := range map[string]int{"/": 200, "/metrics": 200, "/other": 404} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := &answer{header: http.Header{}, status: http.StatusOK}
		if e.handler().ServeHTTP(w, request); w.status != want {
			t.Errorf("%s: %d, want %d", path, w.status, want)
		}
	}
}
