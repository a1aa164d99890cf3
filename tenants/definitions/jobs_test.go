package definitions

import (
	"strings"
	"testing"
	"time"

	"wikictl/tenants"
)

// Jobs are run by requests unless the farm says so; a tenant's weight is the largest that is
// about it.
func TestJobs(t *testing.T) {
	load := func(jobs string) (*tenants.Farm, error) {
		return Load(writeFarm(t, map[string]string{
			"wikictl.toml":   strings.Replace(farmToml, "[servers.main]", jobs+"\n[servers.main]", 1),
			"classes/c.toml": classToml,
			"tenants/a.toml": "name = \"a\"\nhosts = [\"a.example\"]\nsitename = \"A\"\n",
			"tenants/b.toml": "name = \"b\"\nhosts = [\"b.example\"]\nsitename = \"B\"\n",
		}))
	}
	f, err := load("")
	if err != nil || f.Jobs.Service || f.Jobs.Memory != 256*tenants.MiB || f.Jobs.TimeLimit != 10*time.Minute || f.Jobs.WeightOf(f.Tenant("a")) != 1 {
		t.Errorf("%+v, %v", f.Jobs, err)
	}
	f, err = load("[jobs]\nrunner = \"service\"\nchildren = 3\nmemory_limit = \"128M\"\ntime_limit = 60\n[[jobs.weight]]\nwhere = \"name=a\"\nweight = 7\n[[jobs.weight]]\nwhere = \"name=*\"\nweight = 2")
	if err != nil || !f.Jobs.Service || f.Jobs.Children != 3 || f.Jobs.Memory != 128*tenants.MiB || f.Jobs.TimeLimit != time.Minute {
		t.Fatalf("%+v, %v", f, err)
	}
	if a, b := f.Jobs.WeightOf(f.Tenant("a")), f.Jobs.WeightOf(f.Tenant("b")); a != 7 || b != 2 {
		t.Errorf("weights %d and %d, want 7 and 2", a, b)
	}
	for jobs, want := range map[string]string{
		"[jobs]\nrunner = \"cron\"":                       "jobs.runner",
		"[jobs]\nchildren = 0":                            "jobs.children",
		"[[jobs.weight]]\nweight = 2":                     "jobs.weight.where: is missing",
		"[[jobs.weight]]\nwhere = \"x\"":                  "where",
		"[[jobs.weight]]\nwhere = \"name=a\"\nweight = 0": "weight",
	} {
		if _, err := load(jobs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", jobs, err, want)
		}
	}
}
