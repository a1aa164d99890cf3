package tenants

import "testing"

// Sizes follow memory and the number of tenants, and have a least and a most.
func TestManagedSizes(t *testing.T) {
	for _, c := range []struct {
		name             string
		memory           int64
		tenants, servers int
		want             Sizes
	}{
		{"the demo", 8 * GiB, 3, 1, Sizes{512 * MiB, 256 * MiB, 300}},
		{"nothing is known", 0, 0, 1, Sizes{512 * MiB, 256 * MiB, 300}},
		{"a small machine", GiB, 10, 1, Sizes{256 * MiB, 128 * MiB, 256}},
		{"a tiny machine", 256 * MiB, 10, 1, Sizes{128 * MiB, 128 * MiB, 150}},
		{"many tenants", 64 * GiB, 500, 1, Sizes{8000 * MiB, 2 * GiB, 2200}},
		{"more than the memory holds", 64 * GiB, 10_000, 1, Sizes{16 * GiB, 2 * GiB, 4000}},
		{"two servers share it", 64 * GiB, 10_000, 2, Sizes{8 * GiB, 2 * GiB, 4000}},
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
		{"two cores", Machine{8 * GiB, 8 * GiB, 2}, 0, Bounds{GiB, 256 * MiB, GiB, 2}},
		{"a small machine", Machine{GiB, GiB - 50*MiB, 4}, 0, Bounds{256 * MiB, 128 * MiB, GiB, 4}},
		{"a container on a large one", Machine{4 * GiB, 256 * GiB, 64}, 0, Bounds{512 * MiB, 256 * MiB, GiB, 32}},
		{"large uploads", Machine{8 * GiB, 8 * GiB, 1}, 4 * GiB, Bounds{GiB, 256 * MiB, 16 * GiB, 2}},
		{"an upload beyond any", Machine{8 * GiB, 8 * GiB, 1}, 1<<63 - 1, Bounds{GiB, 256 * MiB, 4 * ((1<<63 - 1) / 8), 2}},
		{"nothing is known", Machine{Cores: 2}, 0, Bounds{512 * MiB, 256 * MiB, GiB, 2}},
	} {
		if got := Scripts(c.m, c.upload); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
