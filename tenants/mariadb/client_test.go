package mariadb

import (
	"bytes"
	"io"
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

// An error of a client names its cause, and none of the rows in the statement that failed.
func TestClientErrorsHaveNoRows(t *testing.T) {
	in := strings.NewReader("SELECT 1;\nINSERT INTO nowhere.users VALUES ('a password',\n'ERROR 1 of a row');\n")
	err := shared.client(t.Context(), []string{"mariadb", "mysql"}, in, io.Discard, "--batch")
	if err == nil || !strings.Contains(err.Error(), "ERROR 1146 (42S02) at line 2: ") || strings.Contains(err.Error(), "a password") || strings.Contains(err.Error(), "of a row") {
		t.Error(err)
	}
}
