package mediawiki

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Numbers returns the leading numbers of a version: 1, 43, 0 for "1.43.0-rc.1".
func Numbers(version string) []int {
	var out []int
	for _, part := range strings.Split(version, ".") {
		n, err := strconv.Atoi(strings.TrimLeft(part, "v"))
		if err != nil {
			if digits := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' }); digits > 0 {
				n, _ = strconv.Atoi(part[:digits])
				out = append(out, n)
			}
			break
		}
		out = append(out, n)
	}
	if len(out) == 0 {
		return []int{0}
	}
	return out
}

// CompareVersions compares the numbers of two versions, such as "1.43.9".
func CompareVersions(a, b string) int { return slices.Compare(Numbers(a), Numbers(b)) }

// compareVersion compares the first two numbers of releases.
func compareVersion(a, b string) int {
	first := func(release string) []int { n := Numbers(release); return n[:min(2, len(n))] }
	return slices.Compare(first(a), first(b))
}

func sameVersion(a, b string) bool { return compareVersion(a, b) == 0 }

// NewerSchema reports whether the schema of MediaWiki version a, such as "1.43", comes after
// that of b, such as "1.39.17": releases of one version have one schema (Version lifecycle).
func NewerSchema(a, b string) bool { return compareVersion(a, b) > 0 }

// SameSchema reports whether two versions of MediaWiki have one schema.
func SameSchema(a, b string) bool { return sameVersion(a, b) }

// Minor returns the 43 of "1.43.9", or 0 of what is no version. Of "2.0.0" it is larger than of all
// versions before.
func Minor(version string) (minor int) {
	if Numbers(version)[0] > 1 {
		return math.MaxInt
	}
	fmt.Sscanf(version, "1.%d", &minor)
	return minor
}
