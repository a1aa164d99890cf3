package php

import (
	"bytes"
	_ "embed"
)

//go:embed eval.php
var evalCode []byte

// EvalScript returns a script that runs PHP code from a file that PHP's user may read.
// Its arguments are the folder of the codebase, the file with the code, and the arguments
// of the code.
func EvalScript() []byte { return evalCode }

// Code adds PHP's opening tag to code that lacks it. Line numbers do not change.
func Code(text []byte) []byte {
	if bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("<?")) {
		return bytes.TrimLeft(text, " \t\r\n")
	}
	return append([]byte("<?php "), text...)
}
