package metrics

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"wikictl/tenants"
	"wikictl/tenants/audit/rules"
)

// describe returns a gauge's description.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("wikictl_"+name, help, labels, nil)
}

// The metrics. Times are Unix times, so that ages are correct even if a file or a cache is read
// later.
var (
	buildInfo   = describe("build_info", "Version of wikictl; always 1.", "version")
	definitions = describe("definitions_valid", "Whether the farm's files were valid when they were last read; if not, the farm of the last valid files is measured.")

	collectorSuccess = describe("collector_success", "Whether all values of a kind could be read; the others keep their earlier values or are absent.", "collector")
	collectorSeconds = describe("collector_duration_seconds", "How long the latest reading of a kind took.", "collector")
	collectorTime    = describe("collector_timestamp_seconds", "When the latest reading of a kind ended.", "collector")

	serverUp   = describe("server_up", "Whether wikictl can connect to a database server.", "server")
	replicaUp  = describe("replica_up", "Whether a replica of a database server answers and replicates it.", "server", "replica")
	replicaLag = describe("replica_lag_seconds", "How far the replica is behind; absent while it does not replicate.", "server", "replica")

	wikiInfo      = describe("wiki_info", "A wiki that the farm's files define; always 1. state is that of the ledger, uncreated, or unknown if the ledger was never read.", "wiki", "server", "database", "codebase", "state")
	wikiVersion   = describe("wiki_version_info", "Versions of MediaWiki: that of the wanted codebase, and that which the wiki reports or, if it does not answer, that of the ledger; always 1.", "wiki", "wanted", "actual")
	wikiUpgrade   = describe("wiki_upgrade_wanted", "Whether the wiki's database was made for other code than the definitions want.", "wiki")
	wikiOpen      = describe("wiki_upgrade_open", "Whether an upgrade of the wiki is running or was interrupted.", "wiki")
	wikiUpgraded  = describe("wiki_last_upgrade_timestamp_seconds", "When the wiki's latest upgrade that was not undone ended; absent if the wiki has none.", "wiki")
	wikiUp        = describe("wiki_up", "Whether the wiki answers by a host name; 0 also if another wiki does.", "wiki", "host")
	probeSeconds  = describe("wiki_probe_duration_seconds", "How long the wiki took to answer, or how long the probe waited in vain.", "wiki", "host")
	probeTime     = describe("wiki_probe_timestamp_seconds", "When the wiki was probed last.", "wiki", "host")
	wikiJobs      = describe("wiki_jobs", "Jobs in the wiki's queue: ready, claimed (begun and not finished), and abandoned (also counted as claimed).", "wiki", "state")
	oldestJob     = describe("wiki_oldest_job_timestamp_seconds", "When the oldest ready job was queued; absent if no job is ready.", "wiki")
	lastBackup    = describe("wiki_last_backup_timestamp_seconds", "When the wiki's latest backup by wikictl was taken; 0 if there is none.", "wiki")
	backupBytes   = describe("wiki_last_backup_size_bytes", "Size of the wiki's latest backup, without uploads.", "wiki")
	databaseBytes = describe("wiki_database_size_bytes", "Size of the wiki's InnoDB tables on disk.", "wiki")
	uploadBytes   = describe("wiki_uploads_size_bytes", "Size of the wiki's folder of uploads, thumbnails included.", "wiki")

	runSeconds = describe("last_run_duration_seconds", "How long the latest ended run of a command took.", "command")
	runTime    = describe("last_run_timestamp_seconds", "When the latest ended run of a command ended.", "command")
	runWikis   = describe("last_run_wikis", "Wikis in the latest ended run of a command, by their status.", "command", "status")

	findings  = describe("audit_findings", "Findings of the latest audit (wikictl audit --quick).", "rule", "severity")
	auditTime = describe("audit_timestamp_seconds", "When the latest audit ended.")
)

// Describe sends nothing, because the set of metrics depends on the values that could be read.
// The registry checks the metrics at each scrape.
func (e *Exporter) Describe(chan<- *prometheus.Desc) {}

// Collect sends the latest measurements.
func (e *Exporter) Collect(to chan<- prometheus.Metric) {
	send := sender(to)
	e.mu.Lock()
	defer e.mu.Unlock()
	send.put(buildInfo, 1, e.options.Version)
	send.put(definitions, number(e.loadErr == nil))
	for name, p := range e.parts {
		send.put(collectorSuccess, number(p.err == nil), name)
		send.put(collectorSeconds, p.seconds, name)
		send.put(collectorTime, unix(p.ended), name)
	}
	for name, up := range e.state.servers {
		send.put(serverUp, number(up), name)
	}
	for replica, r := range e.state.replicas {
		up := r.Fault() == ""
		send.put(replicaUp, number(up), replica.Primary.Name, replica.Host())
		if up {
			send.put(replicaLag, float64(r.Lag), replica.Primary.Name, replica.Host())
		}
	}
	if e.farm != nil {
		for _, t := range e.farm.Tenants {
			e.sendWiki(send, t)
			e.sendFiles(send, t.Name)
		}
	}
	for t, p := range e.probes {
		send.put(wikiUp, number(p.err == nil), t.wiki, t.host)
		send.put(probeSeconds, p.seconds, t.wiki, t.host)
		send.put(probeTime, unix(p.at), t.wiki, t.host)
	}
	e.sendRuns(send)
	e.sendAudit(send)
}

// sendWiki sends a wiki's values from the ledger and the queues.
func (e *Exporter) sendWiki(send sender, t *tenants.Tenant) {
	row, made := e.state.rows[t.Name]
	stage := string(row.State)
	switch {
	case e.state.rows == nil:
		stage = "unknown"
	case !made:
		stage = "uncreated"
	}
	send.put(wikiInfo, 1, t.Name, t.Server.Name, t.Database, t.Codebase.Name, stage)
	if !made {
		return
	}
	actual := row.Version
	if p := e.probes[target{t.Name, t.Places()[0]}]; p.err == nil && p.version != "" {
		actual = p.version
	}
	send.put(wikiVersion, 1, t.Name, t.Codebase.Version, actual)
	send.put(wikiUpgrade, number(row.ComponentSet != t.ComponentSet(t.Codebase)), t.Name)
	_, open := e.state.open[t.Name]
	send.put(wikiOpen, number(open), t.Name)
	if u, has := e.state.upgraded[t.Name]; has {
		send.put(wikiUpgraded, unix(u.Ended.Time), t.Name)
	}
	if b, has := e.state.backlogs[t.Name]; has {
		send.put(wikiJobs, float64(b.Ready), t.Name, "ready")
		send.put(wikiJobs, float64(b.Claimed), t.Name, "claimed")
		send.put(wikiJobs, float64(b.Abandoned), t.Name, "abandoned")
		if !b.Oldest.IsZero() {
			send.put(oldestJob, unix(b.Oldest), t.Name)
		}
	}
}

// sendFiles sends a wiki's latest backup and sizes.
func (e *Exporter) sendFiles(send sender, name string) {
	if _, made := e.state.rows[name]; made && e.files.read {
		a, known := e.files.backups[name]
		switch {
		case known && a == nil:
			send.put(lastBackup, 0, name)
		case known:
			send.put(lastBackup, unix(a.Taken), name)
			send.put(backupBytes, float64(a.Bytes), name)
		}
	}
	if bytes, known := e.files.databases[name]; known {
		send.put(databaseBytes, float64(bytes), name)
	}
	if bytes, known := e.files.uploads[name]; known {
		send.put(uploadBytes, float64(bytes), name)
	}
}

// sendRuns sends the latest run of each command.
func (e *Exporter) sendRuns(send sender) {
	for _, r := range e.state.runs {
		send.put(runSeconds, r.Finished.Time.Sub(r.Started).Seconds(), r.Command)
		send.put(runTime, unix(r.Finished.Time), r.Command)
		for status, n := range map[string]int{"done": r.Done, "unchanged": r.Same, "failed": r.Failed, "skipped": r.Skipped} {
			send.put(runWikis, float64(n), r.Command, status)
		}
	}
}

// sendAudit sends the numbers of findings. It sends 0 for a rule without findings, in its own
// severity, so that an alert ends with its finding.
func (e *Exporter) sendAudit(send sender) {
	if e.audit.ended.IsZero() {
		return
	}
	type kind struct{ rule, severity string }
	count := map[kind]int{}
	for _, r := range rules.All() {
		count[kind{r.ID, r.Severity.String()}] = 0
	}
	for _, f := range e.audit.report.Findings {
		count[kind{f.Rule, f.Severity.String()}]++
	}
	for _, k := range slices.Collect(maps.Keys(count)) {
		send.put(findings, float64(count[k]), k.rule, k.severity)
	}
	send.put(auditTime, unix(e.audit.ended))
}

// sender sends gauges.
type sender chan<- prometheus.Metric

func (s sender) put(d *prometheus.Desc, v float64, labels ...string) {
	s <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
