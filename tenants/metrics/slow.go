package metrics

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"wikictl/tenants/audit"
	"wikictl/tenants/audit/rules"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/session"
)

// Time limits of the slow readings.
const (
	sizesLimit = 2 * time.Minute
	auditLimit = 15 * time.Minute
)

// files holds the latest backups and the sizes, by wiki.
type files struct {
	read      bool
	backups   map[string]*archive.Archive // the latest; nil: there is none
	databases map[string]int64            // bytes of a database
	uploads   map[string]int64            // bytes of its uploads
}

// audited is the latest audit.
type audited struct {
	ended   time.Time // zero: there was none
	report  audit.Report
	started time.Time
}

// measureSlowly reads backups and sizes, and audits when that is due.
func (e *Exporter) measureSlowly(ctx context.Context) {
	f, h, start := e.open(ctx, "sizes")
	if f == nil || h == nil {
		return
	}
	defer func() { _ = h.Close() }() // it has only read
	e.note("backups", start, e.readBackups(h))
	start = time.Now()
	e.note("sizes", start, e.readSizes(ctx, h))
	e.mu.Lock()
	due := e.options.AuditEvery > 0 && (e.audit.started.IsZero() || time.Since(e.audit.started) >= e.options.AuditEvery)
	e.mu.Unlock()
	if due {
		start = time.Now()
		e.note("audit", start, e.readAudit(ctx, h, start))
	}
}

// readBackups finds the latest backup of each wiki.
func (e *Exporter) readBackups(h *session.Host) error {
	latest := map[string]*archive.Archive{}
	var failures []error
	for _, t := range h.Farm.Tenants {
		a, err := archive.Latest(h.Layout.ArchivesOf(t.Name))
		if err != nil {
			failures = append(failures, err)
			continue
		}
		latest[t.Name] = a
	}
	e.update(func() { e.files.read, e.files.backups = true, latest })
	return errors.Join(failures...)
}

// readSizes reads the sizes of databases and uploads.
func (e *Exporter) readSizes(ctx context.Context, h *session.Host) error {
	ctx, cancel := context.WithTimeout(ctx, sizesLimit)
	defer cancel()
	databases, uploads := map[string]int64{}, map[string]int64{}
	var failures []error
	for _, def := range h.Farm.Servers {
		s, err := h.Server(ctx, def)
		var sizes map[string]int64
		if err == nil {
			sizes, err = s.Sizes(ctx)
		}
		failures = append(failures, err)
		for _, t := range h.Farm.Tenants {
			if bytes, has := sizes[t.Database]; has && t.Server == def {
				databases[t.Name] = bytes
			}
		}
	}
	for _, t := range h.Farm.Tenants {
		bytes, err := bytesBelow(ctx, h.Layout.Images(t.Name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it is not created yet
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		uploads[t.Name] = bytes
	}
	e.update(func() { e.files.databases, e.files.uploads = databases, uploads })
	return errors.Join(failures...)
}

// bytesBelow sums the sizes of the files below a folder. It skips files that are removed meanwhile.
func bytesBelow(ctx context.Context, folder string) (sum int64, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, fs.ErrNotExist) && path != folder {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

// readAudit audits the farm without requests to the wikis, which probes send.
func (e *Exporter) readAudit(ctx context.Context, h *session.Host, start time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, auditLimit)
	defer cancel()
	r, _, err := rules.Live(ctx, h, rules.Options{Today: start, Quick: true})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.audit.started = start
	if err == nil {
		e.audit.ended, e.audit.report = time.Now(), r
	}
	return err
}
