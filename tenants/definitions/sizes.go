package definitions

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"wikictl/tenants"
)

// bound holds the minimum and the maximum of a key.
type bound struct{ least, most int64 }

// readSizes reads the sizes of a server.
func (l *loader) readSizes(server *tenants.Server, s *section) {
	const most = 1 << 50 // the farm's files may be read on a smaller machine than the server's
	for _, key := range []struct {
		name string
		to   *int64
		bound
	}{
		{"buffer_pool", &server.Sizes.BufferPool, bound{64 * tenants.MiB, most}},
		{"redo_log", &server.Sizes.RedoLog, bound{32 * tenants.MiB, 512 * tenants.GiB}},
	} {
		s.managedOnly(server, key.name)
		s.size(key.name, key.to, key.bound)
	}
	s.managedOnly(server, "connections")
	s.number("connections", &server.Sizes.Connections, bound{50, 100_000})
}

// managedOnly refuses a key of a server that wikictl does not manage.
func (s *section) managedOnly(server *tenants.Server, key string) {
	if v, found := s.table[key]; found && !server.Managed {
		s.report(v.Position, key, "remove it, and set it in the server's own configuration", "is for a managed server only")
	}
}

// readPHP reads [php].
func (l *loader) readPHP(s *section) {
	p := &l.farm.PHP
	s.size("memory_limit", &p.MemoryLimit, bound{128 * tenants.MiB, 64 * tenants.GiB})
	s.size("opcache", &p.Opcache, bound{64 * tenants.MiB, 4 * tenants.GiB})
	s.size("file_size", &p.FileSize, bound{64 * tenants.MiB, 1 << 50})
	s.number("children", &p.Children, bound{1, 1000})
	s.end()
}

// resolveSizes sets the sizes that no file sets, once the tenants are known.
func (l *loader) resolveSizes() {
	f, wikis, servers := l.farm, map[*tenants.Server]int{}, 0
	var upload int64
	for _, t := range f.Tenants {
		wikis[t.Server]++
		upload = max(upload, t.MaxUpload(""))
	}
	for _, server := range f.Servers {
		if server.Managed {
			servers++
		}
	}
	for _, server := range f.Servers {
		if server.Managed {
			server.Sizes = server.Sizes.Or(tenants.Managed(l.machine, wikis[server], servers))
		}
	}
	f.PHP = f.PHP.Or(tenants.Scripts(l.machine, upload))
}

// size reads a number of bytes: an integer, or text such as "512M".
func (s *section) size(key string, to *int64, b bound) {
	v, found := s.table[key]
	if !found {
		return
	}
	n, ok := v.Data.(int64)
	if text, is := v.Data.(string); is {
		n, ok = parseSize(text)
	}
	switch {
	case !ok:
		s.report(v.Position, key, `such as "512M" or "2G"`, "is not a size")
	case n < b.least || n > b.most:
		s.report(v.Position, key, fmt.Sprintf("from %s to %s", tenants.SizeText(b.least), tenants.SizeText(b.most)), "%s is too little or too much", tenants.SizeText(n))
	default:
		*to = n
	}
}

// number reads an integer.
func (s *section) number(key string, to *int64, b bound) {
	n, at, ok := get[int64](s, key, "a number")
	switch {
	case !ok:
	case n < b.least || n > b.most:
		s.report(at, key, fmt.Sprintf("from %d to %d", b.least, b.most), "%d is too few or too many", n)
	default:
		*to = n
	}
}

// parseSize parses a whole number of bytes, or of K, M, G or T, each 1024 of the one
// before, as MariaDB and PHP do.
func parseSize(text string) (int64, bool) {
	digits := strings.TrimRight(text, "KMGT")
	factor := map[string]int64{"": 1, "K": tenants.KiB, "M": tenants.MiB, "G": tenants.GiB, "T": tenants.KiB * tenants.GiB}[text[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || factor == 0 || n > math.MaxInt64/factor {
		return 0, false
	}
	return n * factor, true
}
