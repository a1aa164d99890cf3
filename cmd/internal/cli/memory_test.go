package cli

import (
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
)

func TestHeapGrowsIntoHugePages(t *testing.T) {
	_, err := os.Stat("/sys/kernel/mm/transparent_hugepage")
	needs.That(t, err == nil, "a kernel with transparent huge pages is missing")
	useHugePages()
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.NextGC >= heapRegion {
		t.Errorf("the next collection waits for %d bytes, the region still counts", m.NextGC)
	}
	small := make([][]byte, 32<<10)
	for i := range small {
		small[i] = make([]byte, 1<<10)
		small[i][0] = 1
	}
	if kib, want := advisedKiB(t), len(small)*3/4; kib < want {
		t.Errorf("%d KiB of the heap are where huge pages were asked for, of at least %d", kib, want)
	}
	runtime.KeepAlive(small)
}

// advisedKiB is how much memory is in mappings that may have huge pages (hg among
// VmFlags of proc_pid_smaps(5)).
func advisedKiB(t *testing.T) (sum int) {
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	mapping := regexp.MustCompile(`(?s)\nRss: +(\d+) kB.*?\nVmFlags:([^\n]*)`)
	for _, m := range mapping.FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(m[2], " hg") {
			kib, _ := strconv.Atoi(m[1])
			sum += kib
		}
	}
	return sum
}
