package cli

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// heapRegion is how much of the heap shall be in huge pages, in bytes. It is address
// space, not memory; ten thousand tenants fit in.
const heapRegion = 256 << 20

// useHugePages asks the kernel for huge pages below the heap, which it may leave to
// programs to ask for (madvise in /sys/kernel/mm/transparent_hugepage/enabled). With
// small ones a large farm spends a fifth of its time on touching each for the first
// time, in virtual machines. Go can't be told to ask; but its heap grows into the
// lowest addresses that are free, and those of a region that was given up are. Where
// the kernel refuses, nothing changes. It takes some 8 ms, which commands that read no
// farm need not spend.
func useHugePages() {
	region := make([]byte, heapRegion)
	_ = unix.Madvise(region, unix.MADV_HUGEPAGE)
	runtime.GC() // else the next one waits until the heap is twice the region
}
