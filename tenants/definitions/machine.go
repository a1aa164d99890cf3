package definitions

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"wikictl/tenants"
)

// ThisMachine reads the size of this machine (proc(5), meminfo; the kernel's
// documentation of control groups, memory.max).
func ThisMachine() tenants.Machine {
	info, _ := os.ReadFile("/proc/meminfo")
	m := tenants.Machine{Total: totalMemory(string(info)), Cores: runtime.NumCPU()}
	m.Memory = m.Total
	groups, _ := os.ReadFile("/proc/self/cgroup")
	for _, path := range limitFiles(string(groups)) {
		text, _ := os.ReadFile(path)
		if limit, ok := memoryLimit(string(text)); ok && (m.Memory == 0 || limit < m.Memory) {
			m.Memory = limit
		}
	}
	return m
}

// totalMemory reads the bytes of MemTotal in /proc/meminfo; zero if it is missing.
func totalMemory(info string) int64 {
	for line := range strings.Lines(info) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "MemTotal:" && words[2] == "kB" {
			n, _ := strconv.ParseInt(words[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// limitFiles lists the files with memory limits of a process, given its
// /proc/self/cgroup: those of its control groups and their parents, of both versions.
func limitFiles(groups string) []string {
	var files []string
	for line := range strings.Lines(strings.TrimSpace(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		root, name := "/sys/fs/cgroup", "memory.max"
		if parts[1] == "memory" {
			root, name = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		} else if parts[1] != "" {
			continue
		}
		for at := filepath.Join("/", parts[2]); ; at = filepath.Dir(at) {
			files = append(files, filepath.Join(root, at, name))
			if at == "/" {
				break
			}
		}
	}
	return files
}

// memoryLimit parses a limit. "max", or the very large number of the older version, means
// no limit.
func memoryLimit(text string) (bytes int64, ok bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil && n > 0 && n < 1<<60
}
