package templates

import (
	"strings"
	"testing"

	"wikictl/tenants"
)

// A wiki with the accounts of another names their database and looks for the other's files; a
// template that leaves that out is refused.
func TestSharedAccounts(t *testing.T) {
	f := load(t, farmToml)
	d := data(f, "btrfs")
	owner, member := *d.Tenant, *d.Tenant
	owner.Name, owner.Database = "pool", "wiki_pool"
	member.Owner, d.Tenant = &owner, &member
	r, err := set(t, "").Render(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"$wgSharedDB = 'wiki_pool';", "wikis/pool/read-only", "wikis/pool/maintenance"} {
		if !strings.Contains(string(r.LocalSettings), want) {
			t.Errorf("it lacks %s", want)
		}
	}
	s, err := own(t, LocalSettings, "<?php\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Render(d); err == nil || !strings.Contains(err.Error(), "leaves out that btrfs uses the accounts of pool") {
		t.Error(err)
	}
	if _, err := s.Render(data(f, "btrfs")); err != nil {
		t.Error(err)
	}
}

// A wiki that shows the files of another names their database, folder and address; a template
// that leaves that out is refused.
func TestSharedMedia(t *testing.T) {
	f := load(t, farmToml)
	d := data(f, "btrfs")
	owner, viewer := *d.Tenant, *d.Tenant
	owner.Name, owner.Database, owner.Hosts = "commons", "wiki_commons", []string{"commons.example"}
	owner.Settings = map[string]tenants.Value{"wgHashedUploadDirectory": {Data: false}, "wgCapitalLinks": {Data: false}}
	viewer.Media, d.Tenant = &owner, &viewer
	r, err := set(t, "").Render(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"'wiki' => 'wiki_commons'", "wikis/commons/images", "commons.example/images'", "'hashLevels' => 0", "'initialCapital' => false", "wikis/commons/maintenance"} {
		if !strings.Contains(string(r.LocalSettings), want) {
			t.Errorf("it lacks %s:\n%s", want, r.LocalSettings)
		}
	}
	s, err := own(t, LocalSettings, "<?php\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Render(d); err == nil || !strings.Contains(err.Error(), "leaves out that btrfs shows files of commons") {
		t.Error(err)
	}
}
