package maintenance

import (
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// tree is a codebase with files.
func tree(t *testing.T, files map[string]string) *tenants.Codebase {
	t.Helper()
	c := &tenants.Codebase{Name: "1.43", Path: t.TempDir(), Version: "1.43.9"}
	needs.Files(t, c.Path, files)
	return c
}

func TestLocate(t *testing.T) {
	c := tree(t, map[string]string{
		"maintenance/run.php": "", "maintenance/showSiteStats.php": "", "maintenance/storage/x.php": "",
		"extensions/Cite/maintenance/fix.php": "", "skins/Vector/maintenance/paint.php": "", "mine/own.php": "",
	})
	for name, want := range map[string]Located{
		"showSiteStats":                       {File: "maintenance/showSiteStats.php", Core: true},
		"showSiteStats.php":                   {File: "maintenance/showSiteStats.php", Core: true},
		"storage/x":                           {File: "maintenance/storage/x.php", Core: true},
		"maintenance/showSiteStats.php":       {File: "maintenance/showSiteStats.php"},
		"Cite:fix":                            {File: "extensions/Cite/maintenance/fix.php"},
		"Vector:paint.php":                    {File: "skins/Vector/maintenance/paint.php"},
		"Cite:FixReferences":                  {Class: "Cite:FixReferences"},
		"extensions/Cite/maintenance/fix.php": {File: "extensions/Cite/maintenance/fix.php"},
		"./own":                               {File: "mine/own.php"},
		"../mine/own.php":                     {File: "mine/own.php"},
		"MediaWiki.Extension.Foo.Bar":         {Class: "MediaWiki.Extension.Foo.Bar"},
		"ShowSiteStats":                       {Class: "ShowSiteStats"},
	} {
		got, err := locate(c, filepath.Join(c.Path, "mine"), name)
		if got.File != "" {
			got.File, _ = filepath.Rel(c.Path, got.File)
		}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
	}
	for name, want := range map[string]string{
		"showSiteStat": `did you mean "showSiteStats"`, "Cite:gone": `Cite has no script "gone"`, "Gone:fix": `no extension and no skin "Gone"`,
		":fix": `no extension and no skin ""`, "./gone": "there is no file", "/": "there is no file", "a/b": "begins with ./", "storage": "has no script",
	} {
		if _, err := locate(c, c.Path, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// A script runs directly, by run.php, or not at all.
func TestJob(t *testing.T) {
	const runs, returns, plain = "<?php\n$maintClass = A::class;\nrequire_once RUN_MAINTENANCE_IF_MAIN;", "<?php\nreturn A::class;", "<?php echo 1;"
	files := map[string]string{"maintenance/a.php": runs, "x/runs.php": runs, "x/returns.php": returns, "x/plain.php": plain}
	for _, old := range []bool{false, true} {
		if !old {
			files["maintenance/run.php"] = ""
		} else {
			delete(files, "maintenance/run.php")
		}
		c := tree(t, files)
		for name, wrapped := range map[string]bool{"a": false, "x/runs.php": !old, "x/returns.php": true, "x/plain.php": false} {
			located, err := locate(c, "", name)
			if err != nil {
				t.Fatal(err)
			}
			j, err := located.job(c, []string{"--b"})
			switch {
			case old && wrapped:
				if err == nil {
					t.Errorf("%s runs on code without run.php: %+v", name, j)
				}
			case err != nil || j.Args[len(j.Args)-1] != "--b" || (filepath.Base(j.Script) == "run.php") != wrapped || (len(j.Args) == 2) != wrapped:
				t.Errorf("%s: %+v, %v", name, j, err)
			}
		}
	}
}

func TestTitle(t *testing.T) {
	for name, want := range map[string]string{
		"showSiteStats.php": "showSiteStats", "Cite:fix": "fix", "/root/my fix's.php": "my-fix-s", "": "eval", "A\\B": "B",
		strings.Repeat("x", 99): strings.Repeat("x", longTitle),
	} {
		if got := (Script{Name: name}).Title(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Lines are handed on whole, however they were written.
func TestLiner(t *testing.T) {
	for _, writes := range [][]string{{"a\nb\nc"}, {"a", "\nb", "\n", "c"}, {"a\rb\r", "c"}} {
		var got []string
		l := &liner{printed: func(text string) { got = append(got, text) }}
		for _, text := range writes {
			l.Write([]byte(text))
		}
		l.end()
		if all := strings.Join(got, ""); all != "a\nb\nc\n" {
			t.Errorf("%q: %q", writes, got)
		}
		for _, text := range got {
			if !strings.HasSuffix(text, "\n") {
				t.Errorf("%q is no whole line", text)
			}
		}
	}
}
