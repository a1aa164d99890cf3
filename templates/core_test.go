package templates

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Only the settings themselves count, and not members of them.
func TestSchemaDefaults(t *testing.T) {
	got := schemaDefaults("<?php\nreturn [\n\t'config-schema-inverse' => [\n\t\t'default' => [\n" +
		"\t\t\t'Groups' => [\n\t\t\t\t'Member' => true,\n\t\t\t],\n\t\t\t'Name' => 'Media\n\t\t\t'Wiki' => 1,\n\t\t\t'Port' => 443,\n\t\t\t'Not a name' => 1,\n\t\t\t'None' => null,\n" +
		"\t\t],\n\t\t'type' => [\n\t\t\t'Other' => 'string',\n")
	want := [][]string{{"", "Groups", "["}, {"", "Name", "'Media\n\t\t\t'"}, {"", "Port", "4"}, {"", "None", "n"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
