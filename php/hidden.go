package php

import (
	"os"
	"strings"

	"wikictl/tenants/mask"
)

// masker returns a Masker of the secrets that a job's script knows, and may print: those in its
// arguments, its environment and the wiki's settings.
func (j Job) masker() *mask.Masker {
	var known []string
	for _, arg := range j.Args {
		if name, value, _ := strings.Cut(arg, "="); mask.Name(strings.TrimLeft(name, "-")) {
			known = append(known, value)
		}
	}
	for name, value := range j.Env {
		if mask.Name(name) {
			known = append(known, value)
		}
	}
	for _, path := range []string{j.Config, j.Env[settingsVariable]} {
		if settings, err := os.ReadFile(path); err == nil {
			known = append(known, mask.Found(string(settings))...)
		}
	}
	return mask.New(known...)
}
