package mariadb

import (
	"bytes"
	"strings"
	"testing"
)

// Client programs need no room for temporary files: a restore would fail for its lack
// after the wiki was shut.
func TestClientsNeedNoTemporaryFile(t *testing.T) {
	t.Setenv("TMPDIR", "/nowhere")
	var out bytes.Buffer
	must(t, shared.client(t.Context(), []string{"mariadb", "mysql"}, nil, &out, "-N", "-e", "SELECT CURRENT_USER()"))
	if got := strings.TrimSpace(out.String()); got == "" || strings.Contains(out.String(), "ignored") {
		t.Errorf("got %q", got)
	}
}
