package php

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikictl/tenants/process"
)

//go:embed settings.php
var settingsCode string

// Settings is what a MediaWiki tree says of the settings that it reads.
type Settings struct {
	PHP        string                  `json:"php"` // version of the PHP that read it
	Core       SettingGroup            `json:"core"`
	Extensions map[string]SettingGroup `json:"extensions"` // by folder
	Skins      map[string]SettingGroup `json:"skins"`      // by folder
}

// SettingGroup is the settings of core, of one extension or of one skin, by
// full variable name, such as "wgMaxUploadSize".
type SettingGroup struct {
	Settings map[string]Setting `json:"settings"`
	Names    []string           `json:"names"` // further variables that the code names, without a declaration
}

// Setting is one declaration (MediaWiki: includes/MainConfigSchema.php and
// Manual:Extension registration). A nested one has no default.
type Setting struct {
	Default    json.RawMessage    `json:"default,omitempty"`
	Types      []string           `json:"types"` // JSON Schema's names; none: nothing was declared
	Enum       []any              `json:"enum,omitempty"`
	Deprecated string             `json:"deprecated,omitempty"` // since when and what to use
	Obsolete   string             `json:"obsolete,omitempty"`
	Items      *Setting           `json:"items,omitempty"`
	Members    *Setting           `json:"additionalProperties,omitempty"`
	Properties map[string]Setting `json:"properties,omitempty"`
}

// ReadSettings reads the settings of the MediaWiki tree at root in one PHP
// process. It runs no code of the tree but its generated schema. outside has the
// manifests of extensions that are not in the tree, by their names.
func ReadSettings(ctx context.Context, program, root string, outside map[string]string) (Settings, error) {
	var s Settings
	if program == "" {
		return s, errors.New("no php program was found; install php-cli or set php in [codebases]")
	}
	var out bytes.Buffer
	input := root
	for _, name := range slices.Sorted(maps.Keys(outside)) {
		input += "\x00" + name + "\x00" + outside[name]
	}
	r, err := process.Run(ctx, process.Program{
		Name: program, Env: environment(), Stdin: strings.NewReader(input), Stdout: &out,
		Args: []string{"-d", "display_errors=stderr", "-d", "html_errors=0", "-d", "memory_limit=512M", "-r", strings.TrimPrefix(settingsCode, "<?php")},
	})
	if err != nil {
		return s, fmt.Errorf("read the settings of %s: %w", root, err)
	}
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		return s, fmt.Errorf("read the settings of %s: %w: %s", root, err, process.OneLine(r.Said))
	}
	return s, nil
}

// SettingsCode changes whenever ReadSettings may read something else.
func SettingsCode() string { return settingsCode }
