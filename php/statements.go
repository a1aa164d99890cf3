package php

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Statements says how what a job asks of its database reaches the server. All of it
// needs a wiki that no other process changes meanwhile, and a PHP that can fork; without one
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
	return code + "namespace {" + strings.TrimPrefix(wrapCode, "<?php") + strings.TrimPrefix(serverCode, "<?php") + "}\n"
}

// statementsLine begins the line of a log that says what became of a job's statements.
const statementsLine = "wikictl-statements "

// StatementsCode returns the code that joins and remembers statements.
func StatementsCode() string { return alterCode + memoryCode + connectionCode }

// StatementCounts are what became of a job's statements.
type StatementCounts struct {
	Altering   int `json:"altering"`   // that change tables
	Sent       int `json:"sent"`       // what they became when joined
	Gated      int `json:"gated"`      // of these, that had a place in the gate
	Remembered int `json:"remembered"` // questions that were not asked again
}

// ReadStatementCounts finds them in the log of a job that asked for it. counted is false
// where the job was run as a process of its own, by whose statements nothing was done.
func ReadStatementCounts(log string) (c StatementCounts, counted bool, err error) {
	text, err := os.ReadFile(log)
	if err != nil {
		return c, false, err
	}
	at := bytes.LastIndex(text, []byte("\n"+statementsLine))
	if at < 0 {
		return c, false, nil
	}
	line, _, _ := bytes.Cut(text[at+1+len(statementsLine):], []byte("\n"))
	if err := json.Unmarshal(line, &c); err != nil {
		return c, false, fmt.Errorf("read what became of the statements in %s: %w", log, err)
	}
	return c, true, nil
}
