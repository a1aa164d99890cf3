package templates

import (
	"strings"
	"testing"
)

// Wikis whose server has replicas read from all of them, the primary first.
func TestReaders(t *testing.T) {
	const replicas = "dsn = \"root@tcp(db1)/?tls=true\"\nreplicas = [{ dsn = \"root@tcp([::1]:3307)/\", load = 30, max_lag = 9 }]"
	f := load(t, strings.Replace(farmToml, "managed = true", replicas, 1))
	r, err := set(t, "").Render(data(f, "btrfs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"$wgDBserver = 'db1';",
		"\t\t[ 'host' => 'db1', 'load' => 15, 'ssl' => true ],\n\t\t[ 'host' => '[::1]:3307', 'load' => 30, 'max lag' => 9 ],\n\t];",
	} {
		if !strings.Contains(string(r.LocalSettings), want) {
			t.Errorf("the settings lack %s: %s", want, r.LocalSettings)
		}
	}
	if r, err = set(t, "").Render(data(load(t, farmToml), "btrfs")); err != nil || strings.Contains(string(r.LocalSettings), "wgDBservers") {
		t.Errorf("without replicas: %v", err)
	}
}
