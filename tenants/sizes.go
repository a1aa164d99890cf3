package tenants

import (
	"fmt"
	"math"
	"strconv"
)

// Sizes are the limits of a managed server, from the keys of the same names; zero stands
// for the minimum.
type Sizes struct {
	BufferPool  int64 // bytes; innodb_buffer_pool_size
	RedoLog     int64 // bytes; innodb_log_file_size
	Connections int64 // max_connections
}

// Bounds are the limits of the PHP that runs maintenance scripts and of wikictl's pools,
// of [php]; zero stands for the default of the program.
type Bounds struct {
	MemoryLimit int64 // bytes per script; memory_limit
	Opcache     int64 // bytes of compiled code that the scripts of a codebase share; opcache.memory_consumption
	FileSize    int64 // maximum bytes of a file that a script writes, such as a dump or an upload
	Children    int64 // processes per tenant's pool; pm.max_children
}

const (
	KiB = int64(1) << 10
	MiB = int64(1) << 20
	GiB = int64(1) << 30
)

// Managed returns the sizes of a managed server with so many tenants, which shares the
// machine with other servers and PHP: all buffer pools together get at most a quarter of
// the memory. A wiki of a few thousand pages repeatedly reads some 16 MB. The redo log
// holds half of the pool.
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

// Scripts returns the limits of PHP on a machine, given the largest upload that a tenant
// allows. A pool has a child for each core, so that one wiki's flood leaves the others at
// least half of the machine. Children do not depend on the number of tenants: otherwise
// each new wiki would rewrite all pools.
func Scripts(m Machine, upload int64) Bounds {
	children := min(max(int64(m.Cores), 2), 32)
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

// Or replaces zeros by the values of other. A redo log that is not set follows a buffer
// pool that is.
func (s Sizes) Or(other Sizes) Sizes {
	if s.BufferPool > 0 && s.RedoLog == 0 {
		s.RedoLog = min(max(s.BufferPool/2, 128*MiB), 2*GiB)
	}
	return Sizes{orElse(s.BufferPool, other.BufferPool), orElse(s.RedoLog, other.RedoLog), orElse(s.Connections, other.Connections)}
}

// Or replaces zeros by the values of other.
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

// SizeText formats bytes for parseSize, in the largest exact unit, or in whole M.
func SizeText(n int64) string {
	switch {
	case n >= GiB && n%GiB == 0:
		return fmt.Sprintf("%dG", n/GiB)
	case n >= MiB:
		return fmt.Sprintf("%dM", n/MiB)
	}
	return strconv.FormatInt(n, 10)
}

// Machine describes the computer on which the farm's servers run.
type Machine struct {
	Memory int64 // bytes available to programs, of the machine or the control group
	Total  int64 // bytes of the machine's memory; zero: not known
	Cores  int
}
