package deploy

import (
	"fmt"
	"html"
	"time"
)

// MaintenancePage returns the page that readers see during work on a wiki, such as
// "upgraded to MediaWiki 1.43.9", with its estimated end.
func MaintenancePage(sitename, doing string, until time.Time) string {
	return fmt.Sprintf(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>%[1]s: maintenance</title>
<h1>%[1]s</h1>
<p>This wiki is being %[2]s. It will be back at about %[3]s UTC. Nothing is lost; please try again then.</p>
`, html.EscapeString(sitename), html.EscapeString(doing), until.Format("15:04"))
}
