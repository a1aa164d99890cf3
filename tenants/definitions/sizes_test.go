package definitions

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants"
)

func TestSizesOfFiles(t *testing.T) {
	load := func(server, php string) (*tenants.Farm, error) {
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
	if want := (tenants.Sizes{BufferPool: 128 * tenants.MiB, RedoLog: 128 * tenants.MiB, Connections: 500}); f.Servers["main"].Sizes != want {
		t.Errorf("%+v, want %+v", f.Servers["main"].Sizes, want)
	}
	if want := (tenants.Bounds{MemoryLimit: 256 * tenants.MiB, Opcache: 128 * tenants.MiB, FileSize: 2 * tenants.GiB, Children: 12}); f.PHP != want {
		t.Errorf("%+v, want %+v", f.PHP, want)
	}
	_, err = load("buffer_pool = \"1M\"\nredo_log = \"lots\"\nconnections = 3\n", "memory_limit = \"512MB\"\nopcache = \"9T\"\nfile_size = -1\nchildren = \"8\"\n")
	var problems tenants.Problems
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
	if err == nil || strings.Count(err.Error(), "is for a managed server only") != 2 {
		t.Error(err)
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "12": 12, "1K": tenants.KiB, "512M": 512 * tenants.MiB, "3G": 3 * tenants.GiB, "1T": 1024 * tenants.GiB} {
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
	if m := ThisMachine(); m.Cores < 1 || m.Memory < tenants.MiB || m.Total < m.Memory {
		t.Errorf("%+v", m)
	}
}
