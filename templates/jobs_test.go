package templates

import (
	"strings"
	"testing"
)

// Readers' requests run no jobs once the farm says that a service does; a tenant may still
// say otherwise.
func TestJobsOfAService(t *testing.T) {
	const none, some = "\n$wgJobRunRate = 0;\n", "\n$wgJobRunRate = 2;\n"
	for farm, want := range map[string]bool{farmToml: false, farmToml + "[jobs]\nrunner = \"service\"\n": true} {
		f := load(t, farm, strings.Replace(strings.NewReplacer(`"btrfs"`, `"other"`, "btrfs.", "other.").Replace(btrfsToml), "[settings]", "[settings]\nwgJobRunRate = 2", 1)+"\n")
		for _, name := range []string{"btrfs", "other"} {
			r, err := set(t, "").Render(data(f, name))
			if err != nil {
				t.Fatal(err)
			}
			text := string(r.LocalSettings)
			if got := strings.Contains(text, none); got != want {
				t.Errorf("%s, service %t: %s", name, want, text)
			}
			if at := strings.Index(text, some); (at >= 0) != (name == "other") || at >= 0 && at < strings.Index(text, none) {
				t.Errorf("%s, service %t: %s", name, want, text)
			}
		}
	}
}
