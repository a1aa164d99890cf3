package php

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"wikictl/tenants/process"
)

//go:embed wrap.php
var wrapCode string

// aloneCode reads one request from its fourth file, and runs the script: nothing of the request is
// on the command line, and standard input is the script's.
const aloneCode = `$job = json_decode( file_get_contents( 'php://fd/3' ), true );
putenv( 'MW_CONFIG_FILE=' . $job['config'] );
foreach ( $job['env'] ?? [] as $name => $value ) {
	putenv( "$name=$value" );
}
wikictlWrap( $job );
$argv = array_merge( [ $job['script'] ], array_map( 'base64_decode', $job['args'] ) );
$argc = count( $argv );
$_SERVER['argv'] = $argv;
$_SERVER['argc'] = $argc;
$_SERVER['SCRIPT_NAME'] = $_SERVER['SCRIPT_FILENAME'] = $_SERVER['PHP_SELF'] = $argv[0];
( $job['dir'] !== '' && @chdir( $job['dir'] ) ) || chdir( dirname( $argv[0] ) );
unset( $job, $name, $value );
require $argv[0];`

// runAlone runs a job in a process of its own.
func (s *Server) runAlone(ctx context.Context, j Job) (r report, why string, err error) {
	line, err := json.Marshal(requestOf(j))
	if err != nil {
		return r, "", err
	}
	log, err := os.OpenFile(j.Log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return r, "", err
	}
	defer log.Close()
	request, err := given(line)
	if err != nil {
		return r, "", err
	}
	defer request.Close()
	input, err := os.Open(cmp.Or(j.Input, os.DevNull))
	if err != nil {
		return r, "", err
	}
	defer input.Close()
	limited, cancel := context.WithTimeoutCause(ctx, j.Limit, errLimit)
	defer cancel()
	result, err := process.Run(limited, process.Program{
		Name: s.options.Program, Args: append(s.options.flags(), "-r", strings.TrimPrefix(wrapCode, "<?php")+aloneCode), Env: environment(), Owner: s.options.Owner,
		Stdin: input, Stdout: log, Stderr: log, Files: []*os.File{request},
	})
	r.Exit, r.Signal, r.CPU = result.Exit, int(result.Signal), result.CPU.Seconds()
	switch {
	case errors.Is(err, errLimit):
		return r, "did not end within " + j.Limit.String(), nil
	case ctx.Err() != nil:
		return r, "", context.Cause(ctx)
	case err != nil && r.Signal == 0 && r.Exit <= 0: // PHP did not start, or a child keeps its output open
		return r, "", err
	}
	return r, "", nil
}

// given returns a file from which data can be read once. Only its reader has the data.
func given(data []byte) (*os.File, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go func() {
		_, _ = writer.Write(data) // it fails once the reader is closed
		writer.Close()
	}()
	return reader, nil
}

var errLimit = errors.New("the job's limit")
