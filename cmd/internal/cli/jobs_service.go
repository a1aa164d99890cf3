package cli

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/maintenance"
	"wikictl/tenants/session"
)

// A service checks every rereadEvery whether the definitions changed. After a failed start it
// tries again after restartAfter.
const (
	rereadEvery  = 30 * time.Second
	restartAfter = 2 * time.Second
)

// serveJobs runs jobs until the first signal. When the definitions change, or connections are
// lost, it finishes the running jobs and begins again with the current definitions.
func (a *app) serveJobs(c *cli.Context, f *tenants.Farm, list []*tenants.Tenant) error {
	s := &jobsService{app: a, context: c, farm: f, list: list, notify: notifier(os.Getenv("NOTIFY_SOCKET"))}
	defer s.notify("STOPPING=1")
	for {
		err := s.generation()
		switch {
		case a.draining():
			return err
		case err != nil && c.Context.Err() != nil:
			return err
		case err != nil:
			fmt.Fprintln(a.stderr, ui.Clean(fmt.Sprintf("jobs: %s; again in %s", err, restartAfter)))
			if pause(c.Context, a.drained, restartAfter) {
				return nil
			}
		}
	}
}

// draining reports whether the first signal has come.
func (a *app) draining() bool {
	select {
	case <-a.drained:
		return true
	default:
		return false
	}
}

// pause waits for d, and reports whether ctx or drained ended the wait early.
func pause(ctx context.Context, drained <-chan struct{}, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return true
	case <-drained:
		return true
	case <-time.After(d):
		return false
	}
}

// jobsService is a service that runs jobs.
type jobsService struct {
	app     *app
	context *cli.Context
	farm    *tenants.Farm
	list    []*tenants.Tenant
	notify  func(state string)
	logged  time.Time
}

// generation runs jobs for as long as the definitions stay as they are.
func (s *jobsService) generation() error {
	digest := digestOf(s.farm)
	over, stop := context.WithCancel(s.context.Context)
	drain := make(chan struct{})
	watched := make(chan struct{})
	go func() { // waited for below
		defer close(watched)
		defer close(drain)
		s.watch(over, digest)
	}()
	defer func() {
		stop()
		<-watched
	}()
	return s.app.withHost(s.farm, false, func(h *session.Host) error {
		o := jobsOptions(s.context, s.farm)
		o.Drain, o.Alive, o.Observer = drain, s.alive, silent{}
		s.notify("READY=1")
		_, tally, err := maintenance.RunJobs(s.context.Context, h, s.list, o)
		fmt.Fprintln(s.app.stderr, tallyLine(tally))
		return err
	})
}

// watch returns when ctx ends, at the first signal, or when the definitions have changed and
// have no mistakes. digest is that of the definitions in use.
func (s *jobsService) watch(ctx context.Context, digest string) {
	complained := ""
	for !pause(ctx, s.app.drained, rereadEvery) {
		if digestOf(s.farm) == digest {
			continue
		}
		f, list, err := farmAndQueues(s.context)
		if err == nil {
			s.farm, s.list = f, list
			return
		}
		if text := describe(err); text != complained {
			complained = text
			fmt.Fprintln(s.app.stderr, ui.Clean("the definitions have changed, and are not used yet: "+text))
		}
	}
}

// sayEvery is the interval at which a service logs how many jobs it has run.
const sayEvery = 10 * time.Minute

// alive tells systemd that the service is alive, and logs the tally every sayEvery.
func (s *jobsService) alive(t maintenance.Tally) {
	s.notify("WATCHDOG=1\nSTATUS=" + tallyLine(t))
	if s.logged.IsZero() || time.Since(s.logged) >= sayEvery {
		s.logged = time.Now()
		fmt.Fprintln(s.app.stderr, tallyLine(t))
	}
}

func tallyLine(t maintenance.Tally) string {
	return fmt.Sprintf("jobs: %d were run, %d failed, %d wikis have jobs", t.Done, t.Failed, t.Waiting)
}

// digestOf returns a digest of the names and times of a farm's files. It changes when one of
// them changes, and when a file is added to their folders.
func digestOf(f *tenants.Farm) string {
	sum := sha256.New()
	files := map[string]bool{filepath.Join(f.Dir, tenants.FarmFile): true}
	for _, t := range f.Tenants {
		for _, file := range t.Files {
			files[filepath.Join(f.Dir, file)] = true
		}
	}
	_ = filepath.WalkDir(f.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && path == f.State {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".toml") {
			files[path] = true
		}
		return nil
	})
	for _, path := range slices.Sorted(maps.Keys(files)) {
		info, err := os.Stat(path)
		if err != nil {
			fmt.Fprintln(sum, path, "is gone")
			continue
		}
		fmt.Fprintln(sum, path, info.Size(), info.ModTime().UnixNano())
	}
	return string(sum.Sum(nil))
}

// notifier sends states to systemd (sd_notify(3)); without a socket it sends nothing.
func notifier(socket string) func(state string) {
	if socket == "" {
		return func(string) {}
	}
	if strings.HasPrefix(socket, "@") { // of the abstract namespace
		socket = "\x00" + socket[1:]
	}
	return func(state string) {
		conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err != nil {
			return // the service continues without systemd
		}
		defer conn.Close()
		_, _ = conn.Write([]byte(state))
	}
}

// silent is the observer of a service, which logs failures itself.
type silent struct{}

func (silent) Started(string)           {}
func (silent) Step(string, string)      {}
func (silent) Progress(string, string)  {}
func (silent) Finished(session.Outcome) {}
