package php

import (
	"bytes"
	_ "embed"
)

//go:embed eval.php
var evalCode []byte

// EvalScript is the script that runs code which is no script of its own, as a file that
// PHP's user may read. Its arguments are the folder of the codebase, the file that holds
// the code, and those of the code.
func EvalScript() []byte { return evalCode }

// Code makes a file that PHP reads as code of what may lack PHP's opening tag. Lines keep
// their numbers.
func Code(text []byte) []byte {
	if bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("<?")) {
		return bytes.TrimLeft(text, " \t\r\n")
	}
	return append([]byte("<?php "), text...)
}
