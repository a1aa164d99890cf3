package metrics

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Rules is a file of alert rules for Prometheus.
//
//go:embed rules.yaml
var Rules string

// Dashboard is a dashboard for Grafana.
//
//go:embed dashboard.json
var Dashboard string

// scrapeTimeout is the header with the number of seconds that Prometheus waits for a scrape.
const scrapeTimeout = "X-Prometheus-Scrape-Timeout-Seconds"

// Limits of the server of metrics.
const (
	headerLimit   = 5 * time.Second
	shutdownLimit = 2 * time.Second
	scrapeMargin  = time.Second // of Prometheus' own limit, for the answer to arrive
)

// Serve serves the farm's metrics at /metrics until ctx or drain ends.
func Serve(ctx context.Context, l net.Listener, e *Exporter, drain <-chan struct{}) error {
	ctx, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	wait.Go(func() { e.Run(ctx) })
	server := &http.Server{Handler: e.handler(), ReadHeaderTimeout: headerLimit, BaseContext: func(net.Listener) context.Context { return ctx }}
	wait.Go(func() {
		select {
		case <-drain:
		case <-ctx.Done():
		}
		stop()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownLimit)
		defer cancel()
		_ = server.Shutdown(last) // requests that remain end with the process
	})
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics at %s: %w", l.Addr(), err)
	}
	return nil
}

// handler answers scrapes.
func (e *Exporter) handler() http.Handler {
	page := e.page()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		e.wait(r.Context(), patience(r.Header.Get(scrapeTimeout), e.options.Patience))
		page.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintln(w, `<!DOCTYPE html><title>wikictl</title><a href="/metrics">metrics</a>`)
	})
	return mux
}

// patience returns how long a scrape may wait: most, or less if Prometheus waits less.
func patience(header string, most time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || !(seconds > 0 && seconds < (most+scrapeMargin).Seconds()) { // not a number, too
		return most
	}
	theirs := time.Duration(seconds * float64(time.Second))
	return max(theirs-scrapeMargin, theirs/2)
}

// page writes the latest measurements in Prometheus' formats.
func (e *Exporter) page() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(e)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// Text returns the latest measurements in Prometheus' text format.
func (e *Exporter) Text(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return nil, err
	}
	w := &answer{header: http.Header{}, status: http.StatusOK}
	if e.page().ServeHTTP(w, request); w.status != http.StatusOK {
		return nil, fmt.Errorf("write metrics: %s", bytes.TrimSpace(w.Bytes()))
	}
	return w.Bytes(), nil
}

// answer keeps an answer in memory.
type answer struct {
	bytes.Buffer
	header http.Header
	status int
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }
