package php

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
)

// Platform is a PHP as the requirements of MediaWiki and its extensions see it.
type Platform struct {
	Version    string   `json:"version"`    // such as "8.2.29"
	Extensions []string `json:"extensions"` // as get_loaded_extensions names them
}

// ReadPlatform asks a php command line program what it is.
func ReadPlatform(ctx context.Context, program string) (p Platform, err error) {
	if program == "" {
		return p, errors.New("no php program was found; install php-cli or set php in [codebases]")
	}
	cmd := exec.CommandContext(ctx, program, "-r", `echo json_encode( [ 'version' => PHP_VERSION, 'extensions' => get_loaded_extensions() ] );`)
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	var said lastLines
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return p, fmt.Errorf("ask %s for its version: %w: %s", program, err, &said)
	}
	return p, json.Unmarshal(out.Bytes(), &p)
}
