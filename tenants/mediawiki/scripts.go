package mediawiki

// SavesInput lists the maintenance scripts that save all of standard input as a page, also if it
// is empty (maintenance/edit.php, 1.35 to 1.43).
var SavesInput = []string{"edit"}
