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

	"wikictl/tenants"
	"wikictl/tenants/process"
)

//go:embed settings.php
var settingsCode string

// Settings lists the settings that a MediaWiki tree declares or reads.
type Settings struct {
	PHP        string                  `json:"php"` // version of the PHP program
	Core       SettingGroup            `json:"core"`
	Extensions map[string]SettingGroup `json:"extensions"` // by folder
	Skins      map[string]SettingGroup `json:"skins"`      // by folder
}

// SettingGroup lists the settings of core, of an extension or of a skin, by full variable
// name, such as "wgMaxUploadSize".
type SettingGroup struct {
	Settings map[string]Setting `json:"settings"`
	Names    []string           `json:"names"` // variables that the code uses without a declaration
}

// Setting is one declaration (MediaWiki: includes/MainConfigSchema.php and
// Manual:Extension registration). A nested one has no default.
type Setting struct {
	Default    json.RawMessage    `json:"default,omitempty"`
	Types      []string           `json:"types"` // types of JSON Schema; empty: not declared
	Enum       []any              `json:"enum,omitempty"`
	Deprecated string             `json:"deprecated,omitempty"` // version and replacement
	Obsolete   string             `json:"obsolete,omitempty"`
	Items      *Setting           `json:"items,omitempty"`
	Members    *Setting           `json:"additionalProperties,omitempty"`
	Properties map[string]Setting `json:"properties,omitempty"`
}

// ReadSettings reads the settings of the MediaWiki tree at root with one PHP process. Of
// the tree's code it runs only the generated schema. outside maps the manifests of
// extensions and skins outside of the tree to their names.
func ReadSettings(ctx context.Context, program, root string, outside map[string]string) (Settings, error) {
	var s Settings
	if program == "" {
		return s, errors.New("no php program was found; install php-cli or set php in [codebases]")
	}
	var out bytes.Buffer
	input := root
	for _, manifest := range slices.Sorted(maps.Keys(outside)) {
		input += "\x00" + outside[manifest] + "\x00" + manifest
	}
	r, err := process.Run(ctx, process.Program{
		Name: program, Env: environment(), Stdin: strings.NewReader(input), Stdout: &out,
		Args: []string{"-d", "display_errors=stderr", "-d", "html_errors=0", "-d", "memory_limit=512M", "-r", strings.TrimPrefix(settingsCode, "<?php")},
	})
	if err != nil {
		return s, fmt.Errorf("read the settings of %s: %w", root, err)
	}
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		return s, fmt.Errorf("read the settings of %s: %w: %s", root, err, tenants.OneLine(r.Output))
	}
	return s, nil
}

// SettingsCode returns the code of ReadSettings. A change of it invalidates stored
// results.
func SettingsCode() string { return settingsCode }
