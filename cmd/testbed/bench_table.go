package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Suffixes of the ways for comparison, after the name of the script.
const (
	oneByOne = ", one after the other"
	byXargs  = " by xargs -P"
)

// cost is the cost of one run.
type cost struct {
	wall             float64 // seconds
	php, server, fpm float64 // CPU seconds of all started programs, of mariadbd, and of php-fpm
}

// line is one line of the table: medians, and the shortest and longest run.
type line struct {
	way string
	cost
	least, most float64
}

// summarize returns the line of a way's runs.
func summarize(way string, costs []cost) line {
	of := func(field func(cost) float64) []float64 {
		all := make([]float64, len(costs))
		for i, c := range costs {
			all[i] = field(c)
		}
		slices.Sort(all)
		return all
	}
	walls := of(func(c cost) float64 { return c.wall })
	return line{way, cost{
		wall: median(walls), php: median(of(func(c cost) float64 { return c.php })),
		server: median(of(func(c cost) float64 { return c.server })), fpm: median(of(func(c cost) float64 { return c.fpm })),
	}, walls[0], walls[len(walls)-1]}
}

// median returns the middle of sorted numbers, or the mean of the two in the middle.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// printTable prints the lines, and their speed relative to the loop and to the best
// xargs.
func printTable(lines []line, n int) {
	var loop, xargs line
	for _, l := range lines {
		switch {
		case strings.HasSuffix(l.way, oneByOne):
			loop = l
		case strings.Contains(l.way, byXargs) && (xargs.way == "" || l.wall < xargs.wall):
			xargs = l
		}
	}
	fmt.Printf("%-40s %8s %13s %7s %6s %6s %8s %8s %8s\n", "way", "seconds", "least to most", "a wiki", "loop", "xargs", "PHP CPU", "DB CPU", "FPM CPU")
	for _, l := range lines {
		fmt.Printf("%-40s %8.2f %13s %7.3f %6s %6s %8.1f %8.1f %8.1f\n", l.way, l.wall, fmt.Sprintf("%.1f to %.1f", l.least, l.most), l.wall/float64(n),
			times(loop, l), times(xargs, l), l.php, l.server, l.fpm)
	}
	fmt.Printf("loop, xargs: how many times faster than one after the other, and than %s\n", cmp.Or(xargs.way, "xargs"))
}

// times returns how many times faster a way is than another one, or - if the other one was
// not measured.
func times(other, l line) string {
	if other.way == "" {
		return "-"
	}
	return fmt.Sprintf("%.2f", other.wall/l.wall)
}
