package tenants

import "testing"

func TestUploadFolders(t *testing.T) {
	settings := func(name string, data any) *Tenant { return &Tenant{Settings: map[string]Value{name: {Data: data}}} }
	for name, c := range map[string]struct {
		tenant *Tenant
		want   UploadFolders
	}{
		"as MediaWiki has it": {&Tenant{}, UploadFolders{Known: true, Hashed: true, Sure: true}},
		"no hashes":           {settings("wgHashedUploadDirectory", false), UploadFolders{Known: true, Sure: true}},
		"an expression":       {settings("wgHashedUploadDirectory", PHP("f()")), UploadFolders{Sure: true}},
		"another repository":  {settings("wgLocalFileRepo", map[string]Value{}), UploadFolders{Hashed: true, Sure: true}},
		"another backend":     {settings("wgFileBackends", []Value{}), UploadFolders{Hashed: true, Sure: true}},
		"S3":                  {&Tenant{Extensions: []string{"Cite", "AWS"}}, UploadFolders{Hashed: true, Sure: true}},
		"own PHP":             {&Tenant{Include: []string{"php/own.php"}}, UploadFolders{Known: true, Hashed: true}},
	} {
		if got := c.tenant.UploadFolders(); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
