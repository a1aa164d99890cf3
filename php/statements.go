package php

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Statements are options for the database statements of a job. They require that no other
// process changes the wiki meanwhile, and a PHP that can fork; otherwise statements are
// sent unchanged.
type Statements struct {
	Join     bool     `json:"join"`     // send consecutive changes of a table as one ALTER TABLE
	Remember bool     `json:"remember"` // answer repeated questions about unchanged tables from memory
	Still    bool     `json:"still"`    // end Remember when the job changes a table or the updater's log
	Messages string   `json:"messages"` // folder of MediaWiki's messages (LCStoreStaticArray) for the updater; empty: it reads their sources
	Gate     []string `json:"gate"`     // lock files that bound concurrent changes of tables; empty: no bound
}

//go:embed alter.php
var alterCode string

//go:embed memory.php
var memoryCode string

//go:embed messages.php
var messagesCode string

//go:embed connection.php
var connectionCode string

// wholeServer returns the code of the fork server and its children.
func wholeServer() string {
	code := "<?php\n"
	for _, part := range []string{alterCode, memoryCode, messagesCode, connectionCode} {
		code += strings.TrimPrefix(part, "<?php")
	}
	return code + "namespace {" + strings.TrimPrefix(wrapCode, "<?php") + strings.TrimPrefix(serverCode, "<?php") + "}\n"
}

// statementsLine is the prefix of the log line with a job's StatementCounts.
const statementsLine = "wikictl-statements "

// StatementsCode returns the code that joins and remembers statements, and reads messages.
func StatementsCode() string { return alterCode + memoryCode + messagesCode + connectionCode }

// StatementCounts counts the statements of a job.
type StatementCounts struct {
	Altering   int `json:"altering"`   // statements that change tables
	Sent       int `json:"sent"`       // statements sent after joining
	Gated      int `json:"gated"`      // of these, sent with a lock of the gate
	Remembered int `json:"remembered"` // questions answered from memory
}

// ReadStatementCounts reads the counts from a job's log. counted is false if the job ran
// in a process of its own, where statements are sent unchanged.
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
