package tenants

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Sizes of a managed server, of the keys of that name; zero is the least that a farm
// gets.
type Sizes struct {
	BufferPool  int64 // bytes; innodb_buffer_pool_size
	RedoLog     int64 // bytes; innodb_log_file_size
	Connections int64 // max_connections
}

// Bounds are those of the PHP that runs maintenance scripts and of wikictl's pools,
// of [php]; zero is the default of the program that reads it.
type Bounds struct {
	MemoryLimit int64 // bytes of one script; memory_limit
	Opcache     int64 // bytes of compiled code that scripts of one codebase share; opcache.memory_consumption
	FileSize    int64 // bytes of any file that a script writes, such as a dump or an upload
	Children    int64 // processes of one tenant's pool; pm.max_children
}

const (
	kib = int64(1) << 10
	mib = int64(1) << 20
	gib = int64(1) << 30
)

// Managed are the sizes of a managed server with so many of the farm's tenants, which
// shares the machine with the others and with PHP: all buffer pools together get a
// quarter of the memory at most. A wiki of a few thousand pages reads some 16 MB again
// and again. The redo log holds half of what the pool may have changed.
func Managed(m Machine, tenants, servers int) Sizes {
	share := m.Memory / 4 / int64(max(servers, 1))
	pool := min(max(512*mib, int64(tenants)*16*mib), max(share, 128*mib))
	if m.Memory == 0 {
		pool = 512 * mib
	}
	pool -= pool % mib
	return Sizes{
		BufferPool:  pool,
		RedoLog:     min(max(pool/2, 128*mib), 2*gib),
		Connections: min(max(200+4*int64(tenants), 300), 4000, max(pool/mib, 150)),
	}
}

// Scripts are the bounds of PHP on a machine, where the largest upload that a tenant
// allows is known. The children of a pool do not follow the number of tenants: each new
// wiki would write all pools again.
func Scripts(m Machine, upload int64) Bounds {
	children := min(max(4*int64(m.Cores), 4), 32)
	if gigabytes := int64(math.Round(float64(m.Total) / float64(gib))); m.Total > 0 {
		children = min(children, max(8*gigabytes, 4))
	}
	p := Bounds{MemoryLimit: 512 * mib, Opcache: 256 * mib, FileSize: max(gib, 4*min(upload, math.MaxInt64/8)), Children: children}
	if m.Memory > 0 {
		p.MemoryLimit = min(max(m.Memory/8/mib*mib, 256*mib), gib)
		p.Opcache = min(max(m.Memory/16/mib*mib, 128*mib), 256*mib)
	}
	return p
}

// bound is the least and the most of a key.
type bound struct{ least, most int64 }

// readSizes reads the sizes of a server.
func (l *loader) readSizes(server *Server, s *section) {
	const most = 1 << 50 // the files may be read on a smaller machine than the server's
	for _, key := range []struct {
		name string
		to   *int64
		bound
	}{
		{"buffer_pool", &server.Sizes.BufferPool, bound{64 * mib, most}},
		{"redo_log", &server.Sizes.RedoLog, bound{32 * mib, 512 * gib}},
	} {
		s.managedOnly(server, key.name)
		s.size(key.name, key.to, key.bound)
	}
	s.managedOnly(server, "connections")
	s.number("connections", &server.Sizes.Connections, bound{50, 100_000})
}

// managedOnly refuses a key of a server that is not wikictl's own.
func (s *section) managedOnly(server *Server, key string) {
	if v, there := s.table[key]; there && !server.Managed {
		s.report(v.Position, key, "remove it, and set it in the server's own configuration", "is of a managed server only")
	}
}

// readPHP reads [php].
func (l *loader) readPHP(s *section) {
	p := &l.farm.PHP
	s.size("memory_limit", &p.MemoryLimit, bound{128 * mib, 64 * gib})
	s.size("opcache", &p.Opcache, bound{64 * mib, 4 * gib})
	s.size("file_size", &p.FileSize, bound{64 * mib, 1 << 50})
	s.number("children", &p.Children, bound{1, 1000})
	s.end()
}

// resolveSizes sets the sizes that no file gives, now that the tenants are known.
func (l *loader) resolveSizes() {
	f, tenants, servers := l.farm, map[*Server]int{}, 0
	var upload int64
	for _, t := range f.Tenants {
		tenants[t.Server]++
		n, _ := t.Settings["wgMaxUploadSize"].Data.(int64)
		upload = max(upload, n)
	}
	for _, server := range f.Servers {
		if server.Managed {
			servers++
		}
	}
	for _, server := range f.Servers {
		if server.Managed {
			server.Sizes = server.Sizes.or(Managed(l.machine, tenants[server], servers))
		}
	}
	f.PHP = f.PHP.or(Scripts(l.machine, upload))
}

// or takes from other what is zero. A redo log that is not given follows a buffer pool
// that is.
func (s Sizes) or(other Sizes) Sizes {
	if s.BufferPool > 0 && s.RedoLog == 0 {
		s.RedoLog = min(max(s.BufferPool/2, 128*mib), 2*gib)
	}
	return Sizes{orElse(s.BufferPool, other.BufferPool), orElse(s.RedoLog, other.RedoLog), orElse(s.Connections, other.Connections)}
}

func (p Bounds) or(other Bounds) Bounds {
	return Bounds{
		orElse(p.MemoryLimit, other.MemoryLimit), orElse(p.Opcache, other.Opcache),
		orElse(p.FileSize, other.FileSize), orElse(p.Children, other.Children),
	}
}

func orElse(n, other int64) int64 {
	if n != 0 {
		return n
	}
	return other
}

// size reads a number of bytes: an integer, or text such as "512M".
func (s *section) size(key string, to *int64, b bound) {
	v, there := s.table[key]
	if !there {
		return
	}
	n, ok := v.Data.(int64)
	if text, is := v.Data.(string); is {
		n, ok = parseSize(text)
	}
	switch {
	case !ok:
		s.report(v.Position, key, `such as "512M" or "2G"`, "is no size")
	case n < b.least || n > b.most:
		s.report(v.Position, key, fmt.Sprintf("from %s to %s", sizeText(b.least), sizeText(b.most)), "%s is too little or too much", sizeText(n))
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

// parseSize reads a whole number of bytes, or of K, M, G or T, each 1024 of the one
// before, as MariaDB and PHP do.
func parseSize(text string) (int64, bool) {
	digits := strings.TrimRight(text, "KMGT")
	factor := map[string]int64{"": 1, "K": kib, "M": mib, "G": gib, "T": kib * gib}[text[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || factor == 0 || n > math.MaxInt64/factor {
		return 0, false
	}
	return n * factor, true
}

// sizeText writes bytes as parseSize reads them, in the largest unit that is exact, or
// in whole M.
func sizeText(n int64) string {
	switch {
	case n >= gib && n%gib == 0:
		return fmt.Sprintf("%dG", n/gib)
	case n >= mib:
		return fmt.Sprintf("%dM", n/mib)
	}
	return strconv.FormatInt(n, 10)
}
