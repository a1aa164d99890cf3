package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/metrics"
	"wikictl/tenants/session"
)

func (a *app) metricsCommand() *cli.Command {
	return &cli.Command{
		Name: "metrics", Usage: "measure the farm for Prometheus", ArgsUsage: "[rules|dashboard|unit]",
		Description: about(`
			Prints whether and how fast the wikis answer, their versions, findings of an audit, backups, upgrades, jobs, sizes
			and runs in Prometheus' format. With --listen it serves them at /metrics, and measures when it is asked; with
			--textfile it writes them once, for the node exporter. It changes nothing in the farm. With a word it prints alert
			rules for Prometheus, a dashboard for Grafana, or a systemd unit.
		`, "wikictl metrics --textfile farm.prom"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "serve metrics at this address and port, such as 127.0.0.1:9739"},
			&cli.StringFlag{Name: "textfile", Usage: "write the metrics to this file"},
			&cli.DurationFlag{Name: "audit-every", Usage: "how often to audit the farm; 0 leaves findings out", Value: 10 * time.Minute},
			&cli.DurationFlag{Name: "fresh", Usage: "how long scrapes share one measurement", Value: 15 * time.Second},
			&cli.DurationFlag{Name: "timeout", Usage: "how long a scrape waits for wikis; slow ones do not delay the answers of others", Value: 8 * time.Second},
			&cli.DurationFlag{Name: "probe-timeout", Usage: "how long a wiki may take to answer", Value: 5 * time.Second},
		},
		Action:       a.runMetrics,
		BashComplete: a.completing(func() []string { return []string{"rules", "dashboard", "unit"} }),
	}
}

func (a *app) runMetrics(c *cli.Context) error {
	if c.NArg() > 1 {
		return usagef("metrics takes one word at most, but was given %q", c.Args().Slice())
	}
	switch word := c.Args().First(); word {
	case "rules":
		return a.printText(metrics.Rules)
	case "dashboard":
		return a.printText(metrics.Dashboard)
	case "unit":
		return a.metricsUnit(c)
	case "":
	default:
		return usagef("metrics %s is not known; the words are rules, dashboard and unit", word)
	}
	if c.String("listen") != "" && c.String("textfile") != "" {
		return usagef("--listen and --textfile exclude each other")
	}
	if err := errors.Join(notNegativeTime(c, "audit-every", "fresh"), positiveTime(c, "timeout", "probe-timeout")); err != nil {
		return err
	}
	if _, err := readFarm(c); err != nil { // fail at once, not at the first scrape
		return err
	}
	e := metrics.New(a.metricsOptions(c))
	if address := c.String("listen"); address != "" {
		return a.serveMetrics(c.Context, address, e)
	}
	if err := e.Once(c.Context); err != nil {
		return err
	}
	text, err := e.Text(c.Context)
	if err != nil {
		return err
	}
	if path := c.String("textfile"); path != "" {
		return deploy.WriteNamed(path, text, 0o644)
	}
	return a.printText(string(text))
}

func (a *app) printText(text string) error {
	_, err := fmt.Fprint(a.stdout, text)
	return err
}

// metricsOptions returns the options from the flags, with a function that reads the farm again.
func (a *app) metricsOptions(c *cli.Context) metrics.Options {
	return metrics.Options{
		Version: version, Probes: 4 * runtime.NumCPU(), Load: rereading(c),
		Open:  func(f *tenants.Farm) (*session.Host, error) { return a.openHost(f, true) },
		Fresh: c.Duration("fresh"), Patience: c.Duration("timeout"), ProbeLimit: c.Duration("probe-timeout"), AuditEvery: c.Duration("audit-every"),
	}
}

// rereading returns a function that loads the farm, and again once its files have changed.
func rereading(c *cli.Context) func(context.Context, *tenants.Farm) (*tenants.Farm, error) {
	var digest string
	return func(_ context.Context, before *tenants.Farm) (*tenants.Farm, error) {
		if before != nil && digestOf(before) == digest {
			return before, nil
		}
		f, err := loadFarm(c)
		if err == nil {
			digest = digestOf(f)
		}
		return f, err
	}
}

// serveMetrics answers scrapes until the first signal.
func (a *app) serveMetrics(ctx context.Context, address string, e *metrics.Exporter) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return tenants.WithHint(fmt.Errorf("--listen %s: %w", address, err), "--listen takes an address and a free port, such as 127.0.0.1:9739")
	}
	a.reach(changing) // the first signal ends the service without an error
	fmt.Fprintf(a.stderr, "metrics of the farm are at http://%s/metrics\n", l.Addr())
	notify := notifier(os.Getenv("NOTIFY_SOCKET"))
	notify("READY=1")
	defer notify("STOPPING=1")
	return metrics.Serve(ctx, l, e, a.drained)
}

func (a *app) metricsUnit(c *cli.Context) error {
	return a.printUnitOf(c, "metrics unit", func(u unit, _ *tenants.Farm) string {
		return u.lasting("Metrics", "", "metrics", "--listen", cmp.Or(c.String("listen"), "127.0.0.1:9739"))
	})
}
