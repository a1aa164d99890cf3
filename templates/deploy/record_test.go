package deploy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wikictl/templates"
	"wikictl/tenants"
	"wikictl/tenants/secrets"
)

// remembering is a farm of tenants whose comparisons are recorded.
type remembering struct {
	*testing.T
	d        *Deployer
	f        *tenants.Farm
	set      *templates.Set
	rendered atomic.Int64
}

// compared compares all tenants as Apply does, some time after they were written, and returns
// how many were rendered and how many differed.
func (r *remembering) compared(after time.Duration) (rendered, differed int) {
	r.Helper()
	s := source(r.f, r.set)
	at := s.At
	s.At = func(i int) (Wanted, error) { r.rendered.Add(1); return at(i) }
	s.Set, s.Data = r.set, func(i int) templates.Data {
		return templates.Data{Farm: r.f, Tenant: r.f.Tenants[i], Codebase: r.f.Tenants[i].Codebase}
	}
	r.rendered.Store(0)
	record := ReadRecord(r.d.layout)
	record.start = time.Now().Add(after)
	for _, c := range r.d.compareAll(r.Context(), s, false, record) {
		if c.err != nil {
			r.Fatal(c.err)
		}
		differed += len(c.changes)
	}
	record.save()
	return int(r.rendered.Load()), differed
}

// anew has templates see a farm that was changed, as another process would.
func (r *remembering) anew() {
	r.Helper()
	var err error
	if r.set, err = templates.Load(r.f.Templates); err != nil {
		r.Fatal(err)
	}
}

// want wants a number of tenants to be rendered, and of files to differ.
func (r *remembering) want(what string, rendered, differed int) {
	r.Helper()
	if a, b := r.compared(time.Minute); a != rendered || b != differed {
		r.Errorf("%s: %d tenants were rendered, %d files differ, want %d and %d", what, a, b, rendered, differed)
	}
}

// change changes a file and gives it the times and the size that it had.
func (r *remembering) change(path string) {
	r.Helper()
	info, err := os.Stat(path)
	data, err2 := os.ReadFile(path)
	if err = errors.Join(err, err2); err != nil {
		r.Fatal(err)
	}
	data[len(data)-2] ^= 1
	if err := errors.Join(os.WriteFile(path, data, 0), os.Chtimes(path, info.ModTime(), info.ModTime())); err != nil {
		r.Fatal(err)
	}
}

// remember applies a farm whose tenants have secrets, so that it has a record.
func remember(t *testing.T, f *tenants.Farm, set *templates.Set) *remembering {
	t.Helper()
	d, err := New(f.Layout(), f.Web)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range f.Tenants {
		if err := d.WriteSecrets(one.Name, secrets.Secrets{WebPassword: "abc"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Apply(t.Context(), source(f, set)); err != nil {
		t.Fatal(err)
	}
	return &remembering{T: t, d: d, f: f, set: set}
}

// A tenant is neither rendered nor read when it was as wanted and nothing changed; any change of
// what it is rendered from, or of its files, is found.
func TestRecord(t *testing.T) {
	f := farm(t, 6)
	set, err := templates.Load("")
	if err != nil {
		t.Fatal(err)
	}
	r := remember(t, f, set)
	d := r.d
	for range 2 {
		if rendered, differed := r.compared(0); rendered != 6 || differed != 0 {
			t.Errorf("files that were written a moment ago: %d were rendered, %d differ", rendered, differed)
		}
	}
	r.want("nothing recorded", 6, 0)
	r.want("recorded", 0, 0)

	l, name := d.layout, func(i int) string { return f.Tenants[i].Name }
	r.change(l.LocalSettings(name(0)))
	r.change(l.Vhost(name(1)))
	if err := os.Chmod(l.LocalSettings(name(2)), 0o644); err != nil {
		t.Fatal(err)
	}
	r.want("three files were changed by hand", 3, 3)
	r.want("they still differ", 3, 3)
	if _, err := d.Apply(t.Context(), source(f, set)); err != nil {
		t.Fatal(err)
	}
	r.want("they were written again", 3, 0)
	r.want("and are recorded", 0, 0)

	core := filepath.Join(l.Release(name(4), 1), coreLink)
	if err := errors.Join(os.Remove(core), os.Symlink("/srv/other", core), os.Remove(l.LocalSettings(name(5)))); err != nil {
		t.Fatal(err)
	}
	r.want("a link and a missing file", 2, 2)
	if _, err := d.Apply(t.Context(), source(f, set)); err != nil {
		t.Fatal(err)
	}
	r.want("they were made again", 2, 0)

	for _, stray := range []string{l.Pool(name(1)), l.OtherVhost(name(2))} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(stray), 0o755), os.WriteFile(stray, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	r.want("files that are not wanted", 2, 2)
	if _, err := d.Apply(t.Context(), source(f, set)); err != nil {
		t.Fatal(err)
	}
	r.want("they were removed", 2, 0)

	if err := d.WriteSecrets(name(0), secrets.Secrets{WebPassword: "abc"}); err != nil {
		t.Fatal(err)
	}
	r.want("its secrets were written", 1, 0)
	f.Tenants[0].Sitename = "Another"
	r.anew()
	r.want("its title changed", 1, 2)
	f.Tenants[0].Sitename = "Wiki 0"
	r.anew()
	r.want("it has its title again", 1, 0)
	f.Web.AccessLog = "/var/log/{name}"
	r.anew()
	r.want("all changed", 6, 6)
	f.Web.AccessLog = ""
	r.anew()
	r.want("and again", 6, 0)
	r.want("recorded again", 0, 0)
	r.damaged()
}

// damaged wants a record that is not this program's, whole and readable to be ignored.
func (r *remembering) damaged() {
	path := r.d.layout.Record()
	whole := read(r, path)
	lines := strings.SplitAfter(whole, "\n")
	for what, text := range map[string]string{
		"empty": "", "cut": whole[:len(whole)/2], "without its end": strings.Join(lines[:len(lines)-2], ""), "of another program": strings.Replace(whole, "-", "-1", 1),
		"one line less": strings.Join(append(lines[:1:1], lines[2:]...), ""), "one letter": strings.Replace(whole, lines[3][10:14], "0000", 1), "noise": "\x00\xff\n\n\t\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			r.Fatal(err)
		}
		r.want(what, 6, 0)
		r.want("after that", 0, 0)
	}
}

// A tenant is rendered again when a wiki of which its templates ask changes, and only then.
func TestRecordOfOthers(t *testing.T) {
	f := farm(t, 4)
	folder := f.Templates
	text := `{{ define "end" }}{{ if eq .Tenant.Name "t00000" }}# {{ range tenants "name=t00002" }}{{ comment .Sitename }}{{ end }}{{ end }}{{ end }}`
	if err := errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(folder, templates.LocalSettings), []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	set, err := templates.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	r := remember(t, f, set)
	r.want("nothing recorded", 4, 0)
	r.want("recorded", 0, 0)
	f.Tenants[2].Sitename = "Another"
	r.anew()
	r.want("it, and the one that lists it", 2, 3)
	f.Tenants[2].Sitename = "Wiki 2"
	f.Tenants[1].Sitename = "Another"
	r.anew()
	r.want("one that nothing lists", 3, 2)
}
