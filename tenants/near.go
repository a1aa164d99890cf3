package tenants

import (
	"iter"
	"slices"
	"strings"
)

// DidYouMean returns a hint with the candidate most similar to word, such as `did you
// mean "wgSitename"?`, or "" if none is within a typing error or two.
func DidYouMean(word string, candidates iter.Seq[string]) string {
	return nearest(word, candidates, max(2, len(word)/8))
}

// Suggest is DidYouMean for short lists, with a larger tolerance.
func Suggest(word string, candidates iter.Seq[string]) string {
	return nearest(word, candidates, max(2, len(word)/3))
}

// nearest returns a hint with the candidate most similar to word that differs by at most
// so many letters, or "".
func nearest(word string, candidates iter.Seq[string], most int) string {
	best, least := "", most+1
	for _, candidate := range slices.Sorted(candidates) {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < least {
			best, least = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return `did you mean "` + best + `"?`
}

// distance returns the number of bytes to insert, delete or replace between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost = min(before, row[j], row[j+1]) + 1
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
