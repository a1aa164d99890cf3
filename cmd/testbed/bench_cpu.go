package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Fields of /proc/PID/stat, counted from the one after the name (proc(5)).
const (
	statParent            = 1
	statOwn, statOwnEnd   = 11, 13 // user and system time
	statWith, statWithEnd = 11, 15 // including ended children
	statHertz             = 100    // USER_HZ
)

// cpuOf returns the CPU time of a process in seconds.
func cpuOf(pid int) (float64, error) {
	fields, err := statOf(strconv.Itoa(pid))
	if err != nil {
		return 0, err
	}
	return seconds(fields[statOwn:statOwnEnd])
}

// cpuOfFamily returns the CPU time of a process and its children in seconds, including
// ended ones.
func cpuOfFamily(pid int) (float64, error) {
	fields, err := statOf(strconv.Itoa(pid))
	if err != nil {
		return 0, err
	}
	sum, err := seconds(fields[statWith:statWithEnd])
	if err != nil {
		return 0, err
	}
	all, err := filepath.Glob("/proc/[0-9]*")
	for _, path := range all {
		fields, gone := statOf(filepath.Base(path))
		if gone != nil || fields[statParent] != strconv.Itoa(pid) {
			continue
		}
		own, err := seconds(fields[statWith:statWithEnd])
		if err != nil {
			return 0, err
		}
		sum += own
	}
	return sum, err
}

// statOf reads the fields after the name of a process.
func statOf(pid string) ([]string, error) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < statWithEnd {
		return nil, fmt.Errorf("/proc/%s/stat has %d fields after the name", pid, len(fields))
	}
	return fields, nil
}

// seconds adds up times in ticks.
func seconds(ticks []string) (sum float64, err error) {
	for _, text := range ticks {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, err
		}
		sum += n / statHertz
	}
	return sum, nil
}

// pidIn reads a process id from a file.
func pidIn(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
