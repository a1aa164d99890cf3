package mediawiki

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Composer's versions have four numbers and a stability, and ~, > and omitted parts mean
// other things than in npm, whose rules the Go libraries follow. This implements
// composer/semver's VersionParser as far as MediaWiki's manifests use it.

// release is a version as Composer compares it.
type release struct {
	parts  [4]int
	stage  int // index in stages
	number int // of the stage: 2 of "rc2"
}

// stages lists the stabilities in order; "" is stable.
var stages = []string{"dev", "alpha", "beta", "rc", "", "patch"}

const (
	devStage    = 0
	stableStage = 4
)

var (
	plainVersion = regexp.MustCompile(`(?i)^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.(\d+))?(?:[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)(?:[.-]?(\d+))?)?([.-]?dev)?)(?:\+\S+)?$`)
	wildcard     = regexp.MustCompile(`^v?(\d+(?:\.\d+){0,2})(?:\.[xX*])+$`)
	anything     = regexp.MustCompile(`^[xX*](\.[xX*])*$`)
	term         = regexp.MustCompile(`([^\s,]+)\s+-\s+([^\s,]+)|[^\s,]+`)
	spaced       = regexp.MustCompile(`([<>=!~^])\s+`)
	stability    = regexp.MustCompile(`(?i)@(dev|alpha|beta|rc|stable)$|#[0-9a-f]+$`)
	operator     = regexp.MustCompile(`^(<>|!=|>=|<=|==|=|>|<|~|\^)?(.*)$`)
)

// readRelease parses a version; given is the number of its numbers.
func readRelease(text string) (r release, given int, ok bool) {
	m := plainVersion.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return r, 0, false
	}
	for i := range r.parts {
		if m[1+i] == "" {
			break
		}
		r.parts[i], _ = strconv.Atoi(m[1+i])
		given++
	}
	stage := strings.ToLower(m[5])
	switch stage {
	case "stable":
		stage = ""
	case "a":
		stage = "alpha"
	case "b":
		stage = "beta"
	case "p", "pl":
		stage = "patch"
	}
	if m[7] != "" {
		stage = "dev"
	}
	r.stage = slices.Index(stages, stage)
	r.number, _ = strconv.Atoi(m[6])
	return r, given, true
}

func (r release) compare(o release) int {
	return cmp.Or(slices.Compare(r.parts[:], o.parts[:]), cmp.Compare(r.stage, o.stage), cmp.Compare(r.number, o.number))
}

// first returns the earliest version with those numbers, before every pre-release, unless
// it has a stability.
func (r release) first() release {
	if r.stage == stableStage {
		r.stage = devStage
	}
	return r
}

// next returns the first version whose number at a position, from 1, is greater by one.
func (r release) next(position int) release {
	n := release{}
	copy(n.parts[:position], r.parts[:position])
	n.parts[position-1]++
	return n
}

// Satisfies reports whether a version meets a Composer constraint (Composer: Versions and
// constraints). It accepts versions and constraints that it can't parse: MediaWiki checks
// them itself.
func Satisfies(version, constraint string) bool {
	r, _, ok := readRelease(version)
	if !ok {
		return true
	}
	return slices.ContainsFunc(strings.FieldsFunc(constraint, func(c rune) bool { return c == '|' }), func(all string) bool {
		for _, m := range term.FindAllStringSubmatch(spaced.ReplaceAllString(strings.TrimSpace(all), "$1"), -1) {
			met, ok := r.meets(m[0])
			if m[1] != "" {
				met, ok = r.between(m[1], m[2])
			}
			if ok && !met {
				return false
			}
		}
		return true
	}) || strings.Trim(constraint, "| ") == ""
}

// between reports whether a version is in a hyphenated range; ok is false if the range
// can't be parsed.
func (r release) between(from, to string) (met, ok bool) {
	low, _, okLow := readRelease(from)
	high, given, okHigh := readRelease(to)
	if !okLow || !okHigh || r.compare(low.first()) < 0 {
		return false, okLow && okHigh
	}
	if given >= 3 || high.stage != stableStage {
		return r.compare(high) <= 0, true
	}
	return r.compare(high.next(given)) < 0, true
}

// meets reports whether a version meets one term; ok is false if the term can't be
// parsed.
func (r release) meets(term string) (met, ok bool) {
	m := operator.FindStringSubmatch(stability.ReplaceAllString(term, ""))
	if anything.MatchString(m[2]) || m[2] == "" {
		return true, true
	}
	if w := wildcard.FindStringSubmatch(m[2]); w != nil {
		base, given, _ := readRelease(w[1])
		switch m[1] {
		case "", "=", "==":
			return r.compare(base.first()) >= 0 && r.compare(base.next(given)) < 0, true
		case "!=", "<>":
			return r.compare(base.first()) < 0 || r.compare(base.next(given)) >= 0, true
		}
		m[2] = w[1]
	}
	want, given, ok := readRelease(m[2])
	if !ok {
		return true, false
	}
	order := r.compare(want)
	switch m[1] {
	case ">=":
		return r.compare(want.first()) >= 0, true
	case "<":
		return r.compare(want.first()) < 0, true
	case ">":
		return order > 0, true
	case "<=":
		return order <= 0, true
	case "!=", "<>":
		return order != 0, true
	case "~":
		return r.compare(want.first()) >= 0 && r.compare(want.next(max(given-1, 1))) < 0, true
	case "^":
		return r.compare(want.first()) >= 0 && r.compare(want.next(want.caret(given))) < 0, true
	}
	return order == 0, true
}

// caret returns the position of the number that ^ fixes: the first that is not zero.
func (r release) caret(given int) int {
	for i := range min(given, 3) - 1 {
		if r.parts[i] != 0 {
			return i + 1
		}
	}
	return min(given, 3)
}
