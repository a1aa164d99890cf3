package php

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A script of a MediaWiki before 1.38, or one of wikictl's that is told of such a folder,
// finds the settings in a constant; a later one in the environment alone.
func TestJobsOfOldCode(t *testing.T) {
	const code = `echo "[", defined( 'MW_CONFIG_FILE' ) ? MW_CONFIG_FILE : 'none', '] [', getenv( 'MW_CONFIG_FILE' ), ']';`
	servers(t, func(t *testing.T, s *Server) {
		for _, c := range []struct {
			name, bootstrap, config string
			own                     bool
			want                    string
		}{
			{"old", "", "/s.php", false, "[/s.php] [/s.php]"},
			{"1.36", "<?php // no environment", "/s.php", false, "[/s.php] [/s.php]"},
			{"own script", "", "/s.php", true, "[/s.php] [/s.php]"},
			{"installer", "", "", false, "[none] []"},
			{"new", "<?php getenv( 'MW_CONFIG_FILE' )", "/s.php", false, "[none] [/s.php]"},
		} {
			t.Run(c.name, func(t *testing.T) {
				root := t.TempDir()
				write := func(name, text string) string {
					path := filepath.Join(root, name)
					if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
					return path
				}
				write("includes/Defines.php", "<?php")
				if c.bootstrap != "" {
					write("includes/BootstrapHelperFunctions.php", c.bootstrap)
				}
				j := job(t, code)
				j.Config = c.config
				if c.own {
					j.Args = []string{root}
				} else {
					j.Script = write("maintenance/x.php", "<?php "+code)
				}
				if _, err := s.Run(t.Context(), j); err != nil {
					t.Fatal(err)
				}
				if got := strings.TrimSpace(wrote(j.Log)); got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
			})
		}
	})
}
