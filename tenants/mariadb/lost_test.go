package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"wikictl/tenants"
	"wikictl/tenants/process"
)

// proxy stands before the shared server, and can go silent: it swallows what comes
// from the client and hangs up on the server, as a network that lost its way.
type proxy struct {
	net.Listener
	mu     sync.Mutex
	silent bool
	behind []net.Conn
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{Listener: l}
	t.Cleanup(func() { l.Close(); p.goSilent() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", shared.config.Addr)
			if err != nil {
				return
			}
			p.mu.Lock()
			p.behind = append(p.behind, server)
			p.mu.Unlock()
			go p.pass(server, client)
			go p.pass(client, server)
		}
	}()
	return p
}

func (p *proxy) pass(to io.Writer, from io.Reader) {
	data := make([]byte, 1<<16)
	for {
		n, err := from.Read(data)
		if err != nil {
			return // without hanging up on the other side
		}
		p.mu.Lock()
		silent := p.silent
		p.mu.Unlock()
		if !silent {
			_, _ = to.Write(data[:n])
		}
	}
}

func (p *proxy) goSilent() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = true
	for _, c := range p.behind {
		c.Close()
	}
}

// through connects to the shared server by the proxy.
func (p *proxy) through(t *testing.T) *Server {
	t.Helper()
	a := Accounts{Database: "unused", Host: "%", Web: Account{"proxied", "pw"}, Schema: Account{"proxied_schema", "pw"}}
	must(t, shared.EnsureAccounts(t.Context(), a))
	t.Cleanup(func() { shared.DropAccounts(context.Background(), a) })
	must(t, exec1(t, shared, "GRANT ALL ON *.* TO proxied@'%'"))
	s := as(t, a.Web)
	s.config.Net, s.config.Addr = "tcp", p.Addr().String()
	connector, err := mysql.NewConnector(s.config)
	must(t, err)
	s.db.Close()
	s.Name = "main"
	s.db = sql.OpenDB(connector)
	t.Cleanup(func() { s.db.Close() })
	return s
}

// A network that swallows packets frees the locks on the server; the run notices
// within ten seconds, before the kernel does, and Verify at once.
func TestLossOnASilentNetworkIsNoticed(t *testing.T) {
	known := sessions()
	p := newProxy(t)
	s := p.through(t)
	locks, err := s.Locks(t.Context(), known, "anna")
	must(t, err)
	held, done := locks.While(t.Context())
	defer done()
	defer locks.Close()
	must(t, locks.Acquire(held, "wiki_silent"))
	must(t, locks.Verify(held, "wiki_silent"))
	p.goSilent()
	other, err := shared.Locks(t.Context(), known, "bob")
	must(t, err)
	defer other.Close()
	for other.Acquire(t.Context(), "wiki_silent") != nil {
		must(t, process.Pause(t.Context(), 10*time.Millisecond))
	}
	ended := make(chan error, 1)
	go func() { ended <- locks.Verify(held, "wiki_silent") }()
	for name, c := range map[string]<-chan error{"the context": after(held), "Verify": ended} {
		select {
		case err := <-c:
			var lost *LostError
			if !errors.As(err, &lost) || !strings.Contains(err.Error(), "another run may have taken them") {
				t.Errorf("%s says %v", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s does not notice", name)
		}
	}
}

func after(ctx context.Context) <-chan error {
	ended := make(chan error, 1)
	go func() { <-ctx.Done(); ended <- context.Cause(ctx) }()
	return ended
}

// A lock that another run holds is not verified, though the session is alive.
func TestVerifyNamesTheOther(t *testing.T) {
	l := sessions()
	first, err := shared.Locks(t.Context(), l, "anna@host pid 1")
	must(t, err)
	held, done := first.While(t.Context())
	defer done()
	defer first.Close()
	second, err := shared.Locks(t.Context(), l, "bob@host pid 2")
	must(t, err)
	defer second.Close()
	must(t, first.Acquire(held, "wiki_v"))
	must(t, first.Release(held, "wiki_v"))
	must(t, second.Acquire(t.Context(), "wiki_v"))
	if err := first.Verify(held, "wiki_v"); err == nil || !strings.Contains(err.Error(), "bob@host pid 2") {
		t.Errorf("got %v", err)
	}
	if err := second.Verify(t.Context(), "wiki_v"); err != nil {
		t.Error(err)
	}
	broken, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("told to end"))
	if err := second.Verify(broken, "wiki_v"); err == nil || err.Error() != "told to end" {
		t.Errorf("got %v", err)
	}
	must(t, second.Verify(t.Context(), "wiki_v")) // the end of a context frees nothing
}

// A server that accepts connections and says nothing is given up, and named: a stopped
// process looks so, and a firewall that swallows answers.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(folder, "socket")} {
		l, err := net.Listen(network, address)
		must(t, err)
		t.Cleanup(func() { l.Close() })
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			def := &tenants.Server{Name: "mute", DSN: fmt.Sprintf("root@%s(%s)/", network, l.Addr())}
			_, err := Connect(t.Context(), def, tenants.Layout{}, "")
			if err == nil || !strings.Contains(err.Error(), "server mute: "+l.Addr().String()+" did not answer within") {
				t.Errorf("got %v", err)
			}
		})
	}
	p := Private{Folder: folder, Socket: filepath.Join(folder, "managed")}
	l, err := net.Listen("unix", p.Socket)
	must(t, err)
	t.Cleanup(func() {
		l.Close()
		if _, err := os.Stat(p.data()); err == nil {
			t.Error("another server was begun")
		}
	})
	for what, do := range map[string]func(context.Context) error{"start": p.Start, "stop": p.Stop} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if err := do(t.Context()); err == nil || !strings.Contains(err.Error(), "did not answer within") {
				t.Errorf("got %v", err)
			}
		})
	}
}
