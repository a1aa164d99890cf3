package tenants

import "time"

// Jobs configures how MediaWiki's jobs are run, from [jobs].
type Jobs struct {
	Service   bool          // wikictl jobs run does it; else readers' requests do
	Children  int64         // PHP processes at once; zero: one for each core
	Memory    int64         // bytes that one of them may take
	TimeLimit time.Duration // after which one is ended, in the middle of a job
	Weights   []JobsWeight
}

// JobsWeight is the share of time that some tenants have, [[jobs.weight]] in wikictl.toml.
type JobsWeight struct {
	Where    string // as Select takes it
	Weight   int64  // 1 is that of all others
	Position Position

	Match matcher
}

// WeightOf is a tenant's weight: the largest of those that are about it, or 1.
func (j Jobs) WeightOf(t *Tenant) int64 {
	most := int64(0)
	for _, w := range j.Weights {
		if w.Match(t) {
			most = max(most, w.Weight)
		}
	}
	return max(most, 1)
}
