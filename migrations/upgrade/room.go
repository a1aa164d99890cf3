package upgrade

import (
	"context"
	"maps"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// readFiles reads the space that the wikis' tables take on the disks of their servers.
func (p *Plan) readFiles(ctx context.Context, h *session.Host) error {
	for _, def := range serversOf(p) {
		var here []*Planned
		var databases []string
		for _, j := range p.Tenants {
			if j.tenant.Server == def && j.own == 0 {
				here, databases = append(here, j), append(databases, j.tenant.Database)
			}
		}
		if len(here) == 0 {
			continue
		}
		s, err := h.Server(ctx, def)
		if err != nil {
			return err
		}
		folder, files, err := s.TableFiles(ctx, databases)
		if err != nil {
			return err
		}
		if folder == "" {
			p.Unseen = append(p.Unseen, def.Name)
		}
		for _, j := range here {
			j.folder, j.files = folder, files[j.tenant.Database]
		}
	}
	return nil
}

// checkSpace blocks the wikis whose dumps, or whose changes on the disk of their server, find no
// room beside those of the wikis before them that are not blocked.
func (p *Plan) checkSpace(l tenants.Layout, history map[string]ledger.Upgrade, o Options) {
	v, devices := newVolumes(o), map[uint64]bool{}
	for _, j := range p.Tenants {
		v.enter(j.Wave)
		blocked := len(j.Problems) > 0
		var dump int64
		if o.dumps() {
			dump = need(j, history)
		}
		err := j.fitFiles(v, l, o)
		if err == nil {
			err = j.fit(v, l.Backups(j.Name), dump, o)
		}
		if err != nil {
			j.block(err.Error())
		} else if !blocked {
			p.Space += dump
		}
		if s, known := v.spaces[l.Backups(j.Name)]; known && !devices[s.Device] {
			devices[s.Device] = true
			p.Free += s.Bytes
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(v.most)) {
		p.DataFolders = append(p.DataFolders, DataFolder{folder, v.most[folder], v.spaces[folder].Bytes})
	}
}

// dumps reports whether the wikis are dumped.
func (o Options) dumps() bool { return o.Backup != NoBackup && o.Ahead != AheadOnly }

// fitFiles counts the new files of a tenant, or returns an error if a folder can't take them. A
// tenant that has problems makes none, and an interrupted upgrade has made its own.
func (j *Planned) fitFiles(v *volumes, l tenants.Layout, o Options) error {
	if len(j.Problems) > 0 || j.Interrupted != "" {
		return nil
	}
	folders := []string{l.Wiki(j.Name), l.Logs(j.Name)}
	if o.dumps() {
		folders = append(folders, l.Backups(j.Name))
	}
	return v.fitFiles(folders...)
}

// fit counts the space for a tenant, or returns an error if a part of it finds no room. It does not
// count a tenant that has problems, nor refuse room on the server's disk to an interrupted upgrade,
// which may need none to be ended.
func (j *Planned) fit(v *volumes, backups string, dump int64, o Options) error {
	if o.dumps() {
		if err := v.fitDump(backups, dump); err != nil {
			return err
		}
	}
	var r *room
	if j.folder != "" {
		old := j.New // only SQL of the farm is to be applied
		if j.code {
			old = j.Old
		}
		r = roomFor(j.files, old, j.New, o.Ahead == AheadOnly)
		if err := v.fitData(j.folder, *r, backups, dump); err != nil && j.Interrupted == "" {
			return err
		}
	}
	if len(j.Problems) == 0 {
		v.add(backups, dump, j.folder, r)
	}
	return nil
}
