package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"wikictl/tenants"
)

// Templates by which the settings of one wiki, and one file of the farm, list a class that
// all tenants are in.
const (
	hubTemplate = `{{ define "end" }}{{ if eq .Tenant.Name "w00000" }}
# {{ range tenants "class=all" }}{{ comment .Name }} {{ end }}
{{- end }}{{ end }}`
	listTemplate = "{{ range tenants \"class=all\" }}{{ word .Name }}\n{{ end }}"
	listFile     = "\n[files.list]\ntemplate = \"list.tmpl\"\npath = \"list.conf\"\n"
)

// joining is how many tenants join the class that all are in, one after the other.
const joining = 3

// joins measures a run after each tenant that joins.
func (b *rendering) joins(ctx context.Context) error {
	if err := b.lists(ctx); err != nil {
		return err
	}
	for range joining {
		if err := b.joined(ctx); err != nil {
			return err
		}
		b.n++
	}
	return nil
}

// joined measures a run after one tenant more joined, and wants exactly what lists the class to
// be written.
func (b *rendering) joined(ctx context.Context) error {
	before := b.served()
	if err := b.join(ctx); err != nil {
		return err
	}
	if err := b.measure(ctx, "one tenant joins the class of all", fmt.Sprintf("render: 2 done, %d unchanged", b.n-1), "--all"); err != nil {
		return err
	}
	var written []string
	for name, now := range b.served() {
		if before[name] != now {
			written = append(written, name)
		}
	}
	slices.Sort(written)
	if want := []string{tenantName(0), tenantName(b.n)}; !slices.Equal(written, want) {
		return fmt.Errorf("the files of %v were written, want those of %v", written, want)
	}
	list, err := os.ReadFile(filepath.Join(b.farm, "list.conf"))
	if err == nil && strings.Count(string(list), "\n") != b.n+1 {
		err = fmt.Errorf("list.conf has %d lines", strings.Count(string(list), "\n"))
	}
	return err
}

// lists adds the templates that list the class, and has their files written.
func (b *rendering) lists(ctx context.Context) error {
	if err := edit(filepath.Join(b.farm, tenants.FarmFile), func(text string) string { return text + listFile }); err != nil {
		return err
	}
	if err := writeFiles(b.farm, map[string]string{"templates/localsettings.php.tmpl": hubTemplate, "templates/list.tmpl": listTemplate}); err != nil {
		return err
	}
	return b.measure(ctx, "one tenant lists the class of all", fmt.Sprintf("render: 1 done, %d unchanged", b.n-1), "--all")
}

// join defines and creates one tenant more.
func (b *rendering) join(ctx context.Context) error {
	h, ledger, err := openFarm(ctx, b.farm)
	if err != nil {
		return err
	}
	defer h.Close()
	return b.tenant(ctx, h.Layout, ledger, h.Farm.Tenants[b.n%kinds], b.n)
}

// served identifies the files that each tenant is served from, by inode and time.
func (b *rendering) served() map[string]string {
	l := tenants.Layout{State: filepath.Join(b.farm, "state"), Map: true}
	all := map[string]string{}
	for i := range b.n + 1 {
		name := tenantName(i)
		for _, path := range []string{l.LocalSettings(name), l.Vhost(name)} {
			if info, err := os.Stat(path); err == nil {
				all[name] += fmt.Sprintln(info.Sys().(*syscall.Stat_t).Ino, info.ModTime().UnixNano())
			}
		}
	}
	return all
}
