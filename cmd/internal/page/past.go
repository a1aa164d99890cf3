package page

import (
	"time"

	"wikictl/tenants/ledger"
)

// upgraded is the outcome of a successful upgrade.
const upgraded = "upgraded"

// pastUpgrade is an upgrade of the ledger with its durations and outcome.
type pastUpgrade struct {
	ledger.Upgrade
	took       time.Duration // until it ended, or until now
	readOnly   time.Duration // how long the wiki was read-only
	outcome    string        // in a word or two
	tone       string        // empty if all is well
	rolledBack bool          // a later run has overwritten its end: took is unknown
}

// pastUpgrades evaluates all upgrades, oldest first.
func pastUpgrades(r FarmReport) []pastUpgrade {
	ends := map[string]time.Time{}
	for _, run := range r.Runs {
		if run.Finished.Valid {
			ends[run.ID] = run.Finished.Time
		}
	}
	past := make([]pastUpgrade, len(r.Upgrades))
	for i, u := range r.Upgrades {
		past[i] = checkUpgrade(u, ends[u.Run], r.Made)
	}
	return past
}

// checkUpgrade evaluates an upgrade of a run that ended at runEnded; zero: it has not
// ended, or its end is unknown.
func checkUpgrade(u ledger.Upgrade, runEnded, now time.Time) pastUpgrade {
	p := pastUpgrade{Upgrade: u, took: now.Sub(u.Started.Time)}
	if u.Ended.Valid {
		p.took = u.Ended.Time.Sub(u.Started.Time)
	}
	p.readOnly = p.took
	if u.Opened.Valid {
		p.readOnly = u.Opened.Time.Sub(u.Started.Time)
	}
	switch {
	case u.Phase == ledger.Upgraded:
		p.outcome = upgraded
	case u.Phase == ledger.PutBack && u.UndoneBy != "", u.Phase == ledger.PutBack && u.Error == "" && !runEnded.IsZero() && u.Ended.Time.After(runEnded):
		p.outcome, p.tone, p.rolledBack = "rolled back", "warning", true
	case u.Phase == ledger.PutBack:
		p.outcome, p.tone = "restored", "error"
	case u.Phase == ledger.Kept:
		p.outcome, p.tone = "kept read-only", "error"
	default:
		p.outcome, p.tone = "not ended", "warning"
	}
	return p
}
