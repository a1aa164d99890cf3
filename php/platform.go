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

// Platform describes a PHP by the properties that MediaWiki and its extensions require.
type Platform struct {
	Version    string            `json:"version"`    // such as "8.2.29"
	Extensions []string          `json:"extensions"` // names from get_loaded_extensions
	Settings   map[string]string `json:"settings"`   // settings that affect scripts, by name
	APCu       bool              `json:"apcu"`       // APCu is enabled
	OpCache    bool              `json:"opcache"`    // opcache is enabled

	// Compiled code was discarded since php-fpm started, for lack of memory
	// (opcache.memory_consumption) or of keys (opcache.max_accelerated_files).
	OpCacheFull     bool `json:"opcache_full"`
	OpCacheKeysFull bool `json:"opcache_keys_full"`
}

// ReadPlatform reads the platform of a php command line program.
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

// PlatformScript returns the script of ReadServedPlatform, for a file that php-fpm may
// read: FastCGI names a file and can't send code.
func PlatformScript() []byte { return []byte(platformCode) }

// errNoScript is returned if the file at the path of PlatformScript has other content.
var errNoScript = errors.New("the script of this wikictl for it does not exist")

// ReadServedPlatform reads the platform of the php-fpm at address, such as
// "unix:/run/php.sock" or "127.0.0.1:9000", by FastCGI. path is a file with
// PlatformScript; a file with other content is never run.
func ReadServedPlatform(ctx context.Context, address, script string) (p Platform, err error) {
	if have, err := os.ReadFile(script); err != nil || string(have) != platformCode {
		return p, fmt.Errorf("%s: %w", script, errNoScript)
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
