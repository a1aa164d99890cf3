package tenants

import (
	"fmt"
	"math"
	"strconv"
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
	KiB = int64(1) << 10
	MiB = int64(1) << 20
	GiB = int64(1) << 30
)

// Managed are the sizes of a managed server with so many of the farm's tenants, which
// shares the machine with the others and with PHP: all buffer pools together get a
// quarter of the memory at most. A wiki of a few thousand pages reads some 16 MB again
// and again. The redo log holds half of what the pool may have changed.
func Managed(m Machine, tenants, servers int) Sizes {
	share := m.Memory / 4 / int64(max(servers, 1))
	pool := min(max(512*MiB, int64(tenants)*16*MiB), max(share, 128*MiB))
	if m.Memory == 0 {
		pool = 512 * MiB
	}
	pool -= pool % MiB
	return Sizes{
		BufferPool:  pool,
		RedoLog:     min(max(pool/2, 128*MiB), 2*GiB),
		Connections: min(max(200+4*int64(tenants), 300), 4000, max(pool/MiB, 150)),
	}
}

// Scripts are the bounds of PHP on a machine, where the largest upload that a tenant
// allows is known. The children of a pool do not follow the number of tenants: each new
// wiki would write all pools again.
func Scripts(m Machine, upload int64) Bounds {
	children := min(max(4*int64(m.Cores), 4), 32)
	if gigabytes := int64(math.Round(float64(m.Total) / float64(GiB))); m.Total > 0 {
		children = min(children, max(8*gigabytes, 4))
	}
	p := Bounds{MemoryLimit: 512 * MiB, Opcache: 256 * MiB, FileSize: max(GiB, 4*min(upload, math.MaxInt64/8)), Children: children}
	if m.Memory > 0 {
		p.MemoryLimit = min(max(m.Memory/8/MiB*MiB, 256*MiB), GiB)
		p.Opcache = min(max(m.Memory/16/MiB*MiB, 128*MiB), 256*MiB)
	}
	return p
}

// Or takes from other what is zero. A redo log that is not given follows a buffer pool
// that is.
func (s Sizes) Or(other Sizes) Sizes {
	if s.BufferPool > 0 && s.RedoLog == 0 {
		s.RedoLog = min(max(s.BufferPool/2, 128*MiB), 2*GiB)
	}
	return Sizes{orElse(s.BufferPool, other.BufferPool), orElse(s.RedoLog, other.RedoLog), orElse(s.Connections, other.Connections)}
}

// Or fills in what is zero.
func (p Bounds) Or(other Bounds) Bounds {
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

// SizeText writes bytes as parseSize reads them, in the largest unit that is exact, or
// in whole M.
func SizeText(n int64) string {
	switch {
	case n >= GiB && n%GiB == 0:
		return fmt.Sprintf("%dG", n/GiB)
	case n >= MiB:
		return fmt.Sprintf("%dM", n/MiB)
	}
	return strconv.FormatInt(n, 10)
}

// Machine is the computer that a farm's own servers run on.
type Machine struct {
	Memory int64 // bytes that programs started here may take: of the machine, or of a control group
	Total  int64 // bytes of the machine's memory; zero: not known
	Cores  int
}
