package php

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"wikictl/php/fpm"
	"wikictl/tenants/process"
)

//go:embed platform.php
var platformCode string

// Platform is a PHP as MediaWiki and its extensions see it.
type Platform struct {
	Version    string            `json:"version"`    // such as "8.2.29"
	Extensions []string          `json:"extensions"` // as get_loaded_extensions names them
	Settings   map[string]string `json:"settings"`   // those that change what scripts do, by name
	APCu       bool              `json:"apcu"`       // can be used
	OpCache    bool              `json:"opcache"`    // compiled code is kept

	// Since php-fpm was started, compiled code was thrown away for want of memory
	// (opcache.memory_consumption), or of keys (opcache.max_accelerated_files).
	OpCacheFull     bool `json:"opcache_full"`
	OpCacheKeysFull bool `json:"opcache_keys_full"`
}

// ReadPlatform asks a php command line program what it is.
func ReadPlatform(ctx context.Context, program string) (p Platform, err error) {
	if program == "" {
		return p, errors.New("no php program was found; install php-cli or set php in [codebases]")
	}
	var out bytes.Buffer
	_, err = process.Run(ctx, process.Program{Name: program, Args: []string{"-r", strings.TrimPrefix(platformCode, "<?php")}, Env: environment(), Stdout: &out})
	if err != nil {
		return p, fmt.Errorf("ask %s for its version: %w", program, err)
	}
	return p, json.Unmarshal(out.Bytes(), &p)
}

// PlatformScript is the script that ReadServedPlatform needs as a file which
// php-fpm may read: FastCGI names a file and can't send code.
func PlatformScript() []byte { return []byte(platformCode) }

// ErrNoScript says that ReadServedPlatform found another file than PlatformScript.
var ErrNoScript = errors.New("there is no script of this wikictl for it to run")

// ReadServedPlatform asks the php-fpm at address, such as "unix:/run/php.sock" or
// "127.0.0.1:9000", what it is, by FastCGI. It is given the path of PlatformScript
// and never of a file with other content.
func ReadServedPlatform(ctx context.Context, address, script string) (p Platform, err error) {
	if have, err := os.ReadFile(script); err != nil || string(have) != platformCode {
		return p, fmt.Errorf("%s: %w", script, ErrNoScript)
	}
	out, err := fpm.Run(ctx, address, script)
	if err == nil {
		err = json.Unmarshal(out, &p)
	}
	if err != nil {
		return p, fmt.Errorf("ask php-fpm at %s: %w", address, err)
	}
	return p, nil
}
