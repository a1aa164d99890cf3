package rules

import "wikictl/tenants/audit"

// jobRules check that something runs MediaWiki's jobs.
var jobRules = []rule{
	{Rule: audit.Rule{
		ID: "jobs-unattended", Severity: audit.Warning,
		What:      "[jobs] leaves the wikis' jobs to a service, and no wikictl jobs run is active.",
		Why:       "Readers' requests run no jobs then: links, categories, thumbnails and mails are late until the service runs.",
		Repair:    "Start the service: systemctl start wikictl-jobs. wikictl jobs unit prints its unit.",
		Reference: "wikictl help maintenance",
	}, observedFarm: jobsUnattended},
}

func jobsUnattended(w *wanted, r *reporter) {
	if w.Farm.Jobs.Service && len(w.observed.Ledger) > 0 && !w.observed.History.JobsRun {
		r.say(w.Farm.At("jobs.runner"), "jobs.runner", `systemctl start wikictl-jobs; or runner = "requests"`, "no wikictl jobs run is active, and readers' requests run no jobs")
	}
}
