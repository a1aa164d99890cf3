package session

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/secrets"
)

// A replica that did not answer is asked again, as it may come back during a long run; any other
// server is asked once.
func TestReplicasAreAskedAgain(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	h := &Host{servers: map[string]*connection{}, options: Options{Password: func(string) secrets.Secret { return "" }}}
	primary := &tenants.Server{Name: "main", DSN: "root@unix(" + socket + ")/"}
	replica := &tenants.Server{Name: "main replica", DSN: primary.DSN, Primary: primary}
	absent := map[*tenants.Server]string{}
	for _, def := range []*tenants.Server{primary, replica} {
		_, err := h.Server(t.Context(), def)
		if err == nil {
			t.Fatal("nothing answers at", socket)
		}
		absent[def] = err.Error()
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := h.Server(t.Context(), replica); err != nil && err.Error() != absent[replica] {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the replica is not asked again")
		}
	}
	if _, err := h.Server(t.Context(), primary); err == nil || err.Error() != absent[primary] {
		t.Error("the server is asked again:", err)
	}
}
