package php

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"wikictl/tenants/fleet"
	"wikictl/tenants/process"
)

// Source is a PHP file for Lint.
type Source struct {
	Path string
	Text []byte // its content; nil: read from Path

	Program string // the php of its codebase; Lint ignores it
}

// lintCode parses files from standard input with PHP's own parser (token_get_all,
// TOKEN_PARSE): thousands in one process, where php -l of PHP 8.2 takes one file per
// process. Each file is its path, a NUL, its length in bytes, a NUL, and its text. PHP
// would need ten system calls to open a path.
const lintCode = `while ( ( $path = stream_get_line( STDIN, 1 << 16, "\0" ) ) !== false ) {
	$length = (int)stream_get_line( STDIN, 32, "\0" );
	$code = $length ? stream_get_contents( STDIN, $length ) : '';
	try {
		if ( strlen( $code ) !== $length ) {
			throw new ParseError( 'did not come whole' );
		}
		token_get_all( $code, TOKEN_PARSE );
	} catch ( ParseError $e ) {
		fwrite( STDOUT, $path . ':' . $e->getLine() . ': ' . $e->getMessage() . "\n" );
		$bad = 1;
	}
}
exit( $bad ?? 0 );`

// lintFiles is the number of files that justifies another process of Lint.
const lintFiles = 200

// Lint checks the syntax of PHP files, with at most one process per processor. The error
// has a line "file:line: message" for each mistake.
func Lint(ctx context.Context, program string, files []Source) error {
	if len(files) == 0 {
		return nil
	}
	size := max(lintFiles, (len(files)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	parts := slices.Collect(slices.Chunk(files, size))
	results := fleet.Run(ctx, parts, fleet.Options[[]Source]{Jobs: len(parts), MaxFailures: fleet.NoLimit},
		func(ctx context.Context, part []Source) (struct{}, error) {
			return struct{}{}, lint(ctx, program, part)
		})
	var errs []error
	for _, r := range results {
		errs = append(errs, r.Err)
	}
	return errors.Join(errs...)
}

func lint(ctx context.Context, program string, files []Source) error {
	input, output, err := os.Pipe()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	r, err := process.Start(ctx, process.Program{Name: program, Args: []string{"-r", lintCode}, Env: environment(), Stdin: input, Stdout: &out, Stderr: &out})
	input.Close()
	if err != nil {
		return errors.Join(fmt.Errorf("check the syntax of %d files: %w", len(files), err), output.Close())
	}
	sent := errors.Join(send(output, files), output.Close())
	_, err = r.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := errors.Join(err, sent); err != nil {
		return fmt.Errorf("check the syntax of %d files: %w: %s", len(files), err, strings.TrimSpace(out.String()))
	}
	return nil
}

// send writes files in the format of lintCode, and skips unreadable ones.
func send(to io.Writer, files []Source) error {
	w := bufio.NewWriterSize(to, 1<<16)
	var errs []error
	for _, f := range files {
		text := f.Text
		if text == nil {
			var err error
			if text, err = os.ReadFile(f.Path); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		fmt.Fprintf(w, "%s\x00%d\x00", f.Path, len(text))
		w.Write(text)
	}
	return errors.Join(append(errs, w.Flush())...)
}
