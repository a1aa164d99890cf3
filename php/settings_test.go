package php

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"wikictl/cmd/testbed/needs"
)

func TestReadSettings(t *testing.T) {
	dir, php := needs.Codebases(t), needs.Program(t, "php")
	for _, version := range []string{"1.39", "1.43"} {
		s, err := ReadSettings(context.Background(), php, filepath.Join(dir, version), nil)
		if err != nil {
			t.Fatal(err)
		}
		groups := s.Core.Settings["wgGroupPermissions"]
		if groups.Members == nil || groups.Members.Members == nil || groups.Members.Members.Types[0] != "boolean" {
			t.Errorf("%s: wgGroupPermissions is %+v", version, groups)
		}
		if got := string(s.Core.Settings["wgEnableUploads"].Default); got != "false" {
			t.Errorf("%s: the default of wgEnableUploads is %q", version, got)
		}
		if !slices.Contains(s.Core.Names, "wgConf") {
			t.Errorf("%s: core does not name wgConf", version)
		}
		for _, name := range []string{"wgMathValidModes", "wgMathFullRestbaseURL"} {
			if _, found := s.Extensions["Math"].Settings[name]; !found {
				t.Errorf("%s: Math declares no %s", version, name)
			}
		}
		if _, found := s.Extensions["ReplaceText"].Settings["wgReplaceTextUser"]; !found {
			t.Errorf("%s: a manifest of version 1 gives %v", version, s.Extensions["ReplaceText"])
		}
		if len(s.Skins["Vector"].Settings) == 0 || s.PHP == "" {
			t.Errorf("%s: Vector has no settings, or PHP %q no version", version, s.PHP)
		}
	}
}
