package tenants

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Sizes follow memory and the number of tenants, and have a least and a most.
func TestManagedSizes(t *testing.T) {
	for _, c := range []struct {
		name             string
		memory           int64
		tenants, servers int
		want             Sizes
	}{
		{"the demo", 8 * gib, 3, 1, Sizes{512 * mib, 256 * mib, 300}},
		{"nothing is known", 0, 0, 1, Sizes{512 * mib, 256 * mib, 300}},
		{"a small machine", gib, 10, 1, Sizes{256 * mib, 128 * mib, 256}},
		{"a tiny machine", 256 * mib, 10, 1, Sizes{128 * mib, 128 * mib, 150}},
		{"many tenants", 64 * gib, 500, 1, Sizes{8000 * mib, 2 * gib, 2200}},
		{"more than the memory holds", 64 * gib, 10_000, 1, Sizes{16 * gib, 2 * gib, 4000}},
		{"two servers share it", 64 * gib, 10_000, 2, Sizes{8 * gib, 2 * gib, 4000}},
	} {
		if got := Managed(Machine{Memory: c.memory}, c.tenants, c.servers); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestScriptBounds(t *testing.T) {
	for _, c := range []struct {
		name   string
		m      Machine
		upload int64
		want   Bounds
	}{
		{"two cores", Machine{8 * gib, 8 * gib, 2}, 0, Bounds{gib, 256 * mib, gib, 8}},
		{"a small machine", Machine{gib, gib - 50*mib, 4}, 0, Bounds{256 * mib, 128 * mib, gib, 8}},
		{"a container on a large one", Machine{4 * gib, 256 * gib, 64}, 0, Bounds{512 * mib, 256 * mib, gib, 32}},
		{"large uploads", Machine{8 * gib, 8 * gib, 1}, 4 * gib, Bounds{gib, 256 * mib, 16 * gib, 4}},
		{"an upload beyond any", Machine{8 * gib, 8 * gib, 1}, 1<<63 - 1, Bounds{gib, 256 * mib, 4 * ((1<<63 - 1) / 8), 4}},
		{"nothing is known", Machine{Cores: 2}, 0, Bounds{512 * mib, 256 * mib, gib, 8}},
	} {
		if got := Scripts(c.m, c.upload); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestSizesOfFiles(t *testing.T) {
	load := func(server, php string) (*Farm, error) {
		farm := strings.Replace(farmToml, "[servers.main]\n", "[servers.main]\n"+server, 1) + "\n[php]\n" + php
		return Load(writeFarm(t, map[string]string{
			"wikictl.toml": farm, "classes/c.toml": classToml,
			"tenants/a.toml": "name = \"a\"\nhosts = [\"a.example\"]\nsitename = \"A\"\n",
		}))
	}
	f, err := load("buffer_pool = \"128M\"\nconnections = 500\n", "memory_limit = 268435456\nopcache = \"128M\"\nfile_size = \"2G\"\nchildren = 12\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Sizes{128 * mib, 128 * mib, 500}); f.Servers["main"].Sizes != want {
		t.Errorf("%+v, want %+v", f.Servers["main"].Sizes, want)
	}
	if want := (Bounds{256 * mib, 128 * mib, 2 * gib, 12}); f.PHP != want {
		t.Errorf("%+v, want %+v", f.PHP, want)
	}
	_, err = load("buffer_pool = \"1M\"\nredo_log = \"lots\"\nconnections = 3\n", "memory_limit = \"512MB\"\nopcache = \"9T\"\nfile_size = -1\nchildren = \"8\"\n")
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	var keys []string
	for _, p := range problems {
		if p.Position.Line == 0 || p.Hint == "" && p.Key != "php.children" {
			t.Errorf("no place or hint: %s", p)
		}
		keys = append(keys, p.Key)
	}
	slices.Sort(keys)
	want := []string{"php.children", "php.file_size", "php.memory_limit", "php.opcache", "servers.main.buffer_pool", "servers.main.connections", "servers.main.redo_log"}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Error(diff)
	}
}

// The sizes of a server that somebody else runs are not wikictl's.
func TestSizesOfOtherServers(t *testing.T) {
	farm := strings.Replace(farmToml, "managed = true", "dsn = \"root@unix(/run/s)/\"\nbuffer_pool = \"1G\"\nconnections = 500", 1)
	_, err := Load(writeFarm(t, map[string]string{"wikictl.toml": farm, "classes/c.toml": classToml, "tenants/a.toml": "name = \"a\"\nhosts = [\"a.example\"]\nsitename = \"A\"\n"}))
	if err == nil || strings.Count(err.Error(), "is of a managed server only") != 2 {
		t.Error(err)
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "12": 12, "1K": kib, "512M": 512 * mib, "3G": 3 * gib, "1T": 1024 * gib} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "M", "-1M", "1MM", "1.5G", "2g", "1 G", "9999999999T"} {
		if got, ok := parseSize(text); ok {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestMachine(t *testing.T) {
	if n := totalMemory("MemTotal:       24684092 kB\nMemFree: 1 kB\n"); n != 24684092<<10 {
		t.Error(n)
	}
	files := limitFiles("9:name=systemd:/\n4:memory:/a\n0::/b/c\n")
	want := []string{
		"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
		"/sys/fs/cgroup/b/c/memory.max", "/sys/fs/cgroup/b/memory.max", "/sys/fs/cgroup/memory.max",
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{"max\n": "0 false", "9223372036854771712\n": "9223372036854771712 false", "1048576\n": "1048576 true"} {
		n, ok := memoryLimit(text)
		if got := fmt.Sprint(n, ok); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if m := ThisMachine(); m.Cores < 1 || m.Memory < mib || m.Total < m.Memory {
		t.Errorf("%+v", m)
	}
}
