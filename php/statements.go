package php

import (
	_ "embed"
	"strings"
)

// Statements says how what a job asks of its database reaches the server. All of it
// needs a wiki that nobody else changes meanwhile, and a PHP that can fork; without one
// each statement is sent as it is.
type Statements struct {
	Join     bool     `json:"join"`     // consecutive changes of one table go as one ALTER TABLE
	Remember bool     `json:"remember"` // what was asked and can't have changed is not asked again
	Gate     []string `json:"gate"`     // files, one of which is locked for each change of a table; none: no bound
}

//go:embed alter.php
var alterCode string

//go:embed memory.php
var memoryCode string

//go:embed connection.php
var connectionCode string

// wholeServer is the code of the fork server with what its children need.
func wholeServer() string {
	code := "<?php\n"
	for _, part := range []string{alterCode, memoryCode, connectionCode} {
		code += strings.TrimPrefix(part, "<?php")
	}
	return code + "namespace {" + strings.TrimPrefix(serverCode, "<?php") + "}\n"
}

// statementsLine begins the line of a log that says what became of a job's statements.
const statementsLine = "wikictl-statements "
