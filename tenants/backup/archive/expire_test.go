package archive

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wikictl/tenants"
)

// The newest of so many days, weeks and months stay, what is young, and what restore made.
func TestExpired(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) // a Thursday
	days := func(n float64) time.Time { return now.Add(-time.Duration(n * 24 * float64(time.Hour))) }
	rules := tenants.KeepBackups{Daily: 2, Weekly: 2, Monthly: 3}
	for name, c := range map[string]struct {
		ages   []float64
		before string
		rules  tenants.KeepBackups
		gone   []float64
	}{
		"none":           {nil, "", rules, nil},
		"the newest":     {[]float64{400}, "", tenants.KeepBackups{}, nil},
		"all of a day":   {[]float64{0.1, 0.2, 0.9}, "", tenants.KeepBackups{}, nil},
		"nothing kept":   {[]float64{1, 2, 3}, "", tenants.KeepBackups{}, []float64{2, 3}},
		"twice a day":    {[]float64{1.1, 1.2, 2.1, 2.2}, "", tenants.KeepBackups{Daily: 2}, []float64{1.2, 2.2}},
		"days with gaps": {[]float64{1.1, 30, 90, 95}, "", tenants.KeepBackups{Daily: 3}, []float64{95}},
		"weeks":          {[]float64{1.1, 2.1, 4.1, 5.1, 11.1}, "", tenants.KeepBackups{Weekly: 2}, []float64{2.1, 5.1, 11.1}},
		"months":         {[]float64{2.1, 20.1, 40.1, 70.1}, "", tenants.KeepBackups{Monthly: 2}, []float64{20.1, 70.1}},
		"all rules":      {[]float64{1.1, 2.1, 3.1, 5.1, 12.1, 30.1, 65.1, 100.1}, "", rules, []float64{3.1, 12.1, 100.1}},
		"of the future":  {[]float64{-400, -5, 3.1, 5.1}, "", tenants.KeepBackups{}, []float64{5.1}},
		"future days":    {[]float64{-1.1, 1.1, 3.1, 5.1}, "", tenants.KeepBackups{Daily: 2}, []float64{5.1}},
		"of a restore":   {[]float64{1, 50, 91}, BeforeRestore, tenants.KeepBackups{}, []float64{91}},
	} {
		var list []*Archive
		for _, age := range c.ages {
			list = append(list, &Archive{Manifest: Manifest{Taken: days(age), Before: c.before}})
		}
		var want []*Archive
		for i, age := range c.ages {
			if slices.Contains(c.gone, age) {
				want = append(want, list[i])
			}
		}
		if got := Expired(list, c.rules, 90*24*time.Hour, now); !slices.Equal(got, want) {
			for _, a := range got {
				t.Logf("%s: %.1f days went", name, now.Sub(a.Taken).Hours()/24)
			}
			t.Errorf("%s: want %v gone", name, c.gone)
		}
	}
	old := []*Archive{{Manifest: Manifest{Taken: days(999), Before: BeforeRestore}}}
	if got := Expired(old, rules, 0, now); len(got) > 0 {
		t.Error("what stays for ever went")
	}
}

// Stored files that no archive names are removed once an archive was discarded; none is while an
// archive can't be read.
func TestSweep(t *testing.T) {
	dir, images := t.TempDir(), t.TempDir()
	for _, name := range []string{"a", "b"} {
		must(t, os.WriteFile(filepath.Join(images, name), []byte(name), 0o644))
	}
	store := NewStore(dir)
	file, u := keep(t, dir, images, Uploads{})
	must(t, os.Remove(filepath.Join(images, "b")))
	second := FileOf(filepath.Dir(file), "20261126-190000-abcdef")
	must(t, os.Rename(file, second))
	file, _ = keep(t, dir, images, Uploads{})
	files := func() int { found, _ := filepath.Glob(dir + "/files/*/*"); return len(found) }
	sweep := func() error { _, err := store.Sweep(t.Context()); return err }
	must(t, sweep())
	if files() != 2 {
		t.Errorf("%d files are left", files())
	}
	must(t, store.Discard([]*Archive{{File: second}}))
	whole, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, whole[:9], 0o600))
	if err := sweep(); err == nil || files() != 2 {
		t.Error(err, files())
	}
	must(t, os.WriteFile(file, whole, 0o600))
	must(t, sweep())
	if _, err := os.Stat(store.Path(u.Files[0].SHA256)); err != nil || files() != 1 {
		t.Error(err, files())
	}
}
