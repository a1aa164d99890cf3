package wiki

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Of each answer the reason is found, and no markup is left. The files are what
// MediaWiki 1.39.17 and 1.43.9 answered: with the web account locked, a table gone, an
// error in a hook of the page's view and in one of its output, the last with
// $wgShowExceptionDetails, as all named "d" or "details".
func TestWords(t *testing.T) {
	fatal, denied := `Fatal exception of type "RuntimeException"`, "RuntimeException: not <today> & tomorrow"
	files := map[string]string{
		"1.39-locked-page":       "Sorry! This site is experiencing technical difficulties. Try waiting a few minutes and reloading. (Cannot access the database)",
		"1.39-locked-api":        `internal_api_error_DBConnectionError: Caught exception of type Wikimedia\Rdbms\DBConnectionError`,
		"1.39-table-page":        `Fatal exception of type "Wikimedia\Rdbms\DBQueryError"`,
		"1.39-hook-details-page": denied,
		"1.39-view-Main_Page":    fatal,
		"1.39-viewd-Main_Page":   denied,
		"1.43-locked-page":       "Désolé ! Ce site rencontre des difficultés techniques. Essayez d’attendre quelques minutes avant de charger à nouveau. (Accès à la base de données impossible)",
		"1.43-locked-api":        "", // its page is cut off by the length of what was meant to be answered
		"1.43-table-page":        `Fatal exception of type "Wikimedia\Rdbms\DBQueryError"`,
		"1.43-hook-details-page": denied,
		"1.43-view-Main_Page":    "Erreur fatale de type « RuntimeException »",
		"1.43-viewd-Main_Page":   denied,
	}
	for name, want := range files {
		body, err := os.ReadFile(filepath.Join("testdata/answers", name))
		if err != nil {
			t.Fatal(err)
		}
		if got := words(body); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	texts := map[string]string{
		"": "",
		"<br />\n<b>Fatal error</b>:  Uncaught Error: Undefined constant \"X\" in /w/LocalSettings.php:84\nStack trace:\n#0 {main}":                  `Error: Undefined constant "X" in /w/LocalSettings.php:84`,
		"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>": "502 Bad Gateway nginx",
		"[deadbeefdead] [no req]   Error: Call to a member function x() on null\nBacktrace:\n#0":                                                     "Error: Call to a member function x() on null",
		strings.Repeat("ö", 400): strings.Repeat("ö", 150) + "…",
	}
	for body, want := range texts {
		if got := words([]byte(body)); got != want {
			t.Errorf("%.40q: %q, want %q", body, got, want)
		}
	}
}
