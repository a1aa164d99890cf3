package main

import (
	"fmt"
	"time"
)

// still waits for the requests of a wiki that are answered already: MediaWiki writes
// what can wait (deferred updates, such as page.page_links_updated) after its answer,
// over the connection that the request has had. A backup that is to hold what a wiki will hold
// waits for them. database is a pattern of LIKE.
func (f *farm) still(database string) {
	f.t.Helper()
	query := fmt.Sprintf("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB LIKE '%s' AND USER <> 'root'", database)
	for begun := time.Now(); f.sql(query)[0] != "0"; time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			f.t.Fatalf("a request to %s does not end", database)
		}
	}
}
