package recovery

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/disk"
)

// demand is the space that a part of a restore needs on the file system of a folder.
type demand struct {
	dir, what    string
	bytes, files int64
}

// roomFor returns an error that blocks a tenant if demands exceed the free space on one of their
// file systems.
func roomFor(demands []demand) error {
	need, files, what := map[uint64]int64{}, map[uint64]int64{}, map[uint64][]string{}
	for _, d := range demands {
		if d.bytes <= 0 && d.files <= 0 {
			continue
		}
		free, err := disk.Free(d.dir)
		if err != nil {
			return &blockedError{err}
		}
		need[free.Device] += max(d.bytes, 0)
		files[free.Device] += max(d.files, 0)
		what[free.Device] = append(what[free.Device], d.what)
		all := strings.Join(what[free.Device], " and ")
		if n := need[free.Device]; free.Lacks(n) {
			return blocked("%s would need about %d MB in %s, where %d MB are free: make room there", all, 1+(n>>20), d.dir, free.Bytes>>20)
		}
		if n := files[free.Device]; free.LacksFiles(n) {
			return blocked("%s would need about %d new files in %s, whose file system has inodes for %d (df -i): remove files there", all, n, d.dir, free.Files)
		}
	}
	return nil
}

// fits returns an error that blocks the restore if its uploads or its database do not fit. It
// does not know the space that an interrupted restore has freed.
func (r *restoration) fits(ctx context.Context) error {
	if r.Phase != beginning {
		return nil
	}
	uploads, err := r.uploadsDemand()
	if err != nil {
		return err
	}
	database, err := r.databaseDemand(ctx)
	if err != nil {
		return err
	}
	return roomFor([]demand{uploads, database})
}

// uploadsDemand returns the space that the uploads take beside the present ones.
func (r *restoration) uploadsDemand() (demand, error) {
	d := demand{dir: r.Layout.Images(r.tenant.Name), what: "the uploads"}
	if r.Only == OnlyDatabase {
		return d, nil
	}
	if !deploy.Exists(r.Archive) { // a snapshot: fetched first, and each file copied from there
		d.bytes, d.files = 2*r.manifest.UploadBytes, 2*int64(r.manifest.Uploads)
		return d, nil
	}
	want, err := archive.UploadsOf(r.Archive)
	if err != nil {
		return d, &blockedError{err}
	}
	d.files = int64(len(want.Files) - len(r.have.Files))
	if !copies(r.store.Folder(), d.dir) {
		return d, nil
	}
	var largest int64 // a file is replaced by a complete copy
	for _, f := range archive.Missing(want, r.have) {
		if !r.Fresh {
			largest = max(largest, f.Bytes)
		}
	}
	d.bytes = want.Bytes() - r.have.Bytes() + largest
	return d, nil
}

// copies reports whether copying a file from one folder to another takes space: it does not on a
// file system that shares blocks.
func copies(from, to string) bool {
	a, errA := disk.Free(from)
	b, errB := disk.Free(to)
	return errA != nil || errB != nil || a.Device != b.Device || !a.Shares
}

// databaseDemand returns the space that the dump needs on the server's disk beyond that of the
// present database, if that disk can be seen from here.
func (r *restoration) databaseDemand(ctx context.Context) (d demand, err error) {
	if r.Only == OnlyUploads || !deploy.Exists(r.Archive) {
		return d, nil
	}
	dump, err := r.description()
	if err != nil {
		return d, err
	}
	need, err := r.server.LoadSpace(ctx, dump, append(slices.Clone(r.further), r.tenant.Database)...)
	return demand{need.Folder, "the database", need.Bytes, need.Files}, err
}

// description reads the description of the dump in the archive.
func (r *restoration) description() (*backup.Dump, error) {
	data, err := archive.ReadMember(r.Archive, archive.DescriptionMember)
	if err != nil {
		return nil, &blockedError{err}
	}
	dump := &backup.Dump{}
	if err := json.Unmarshal(data, dump); err != nil {
		return nil, blocked("%s: %s: %w", r.Archive, archive.DescriptionMember, err)
	}
	return dump, nil
}

// mayHoldCopy returns an error that blocks a clone if another tenant's uploads can't be copied, or
// have no room.
func (k *task) mayHoldCopy(ctx context.Context, from *tenants.Tenant) error {
	u, err := scan(ctx, k.Host, from)
	if err != nil {
		return err
	}
	return k.mayHold(ctx, from, u)
}

// mayHold returns an error that blocks a clone if a copy of another tenant, which has these
// uploads, has no room.
func (k *task) mayHold(ctx context.Context, from *tenants.Tenant, u archive.Uploads) error {
	if k.row.Name != "" { // a copy of the same wiki is replaced
		return nil
	}
	var demands []demand
	store := archive.NewStore(k.Layout.Archives())
	if copies(k.Layout.Images(from.Name), store.Folder()) {
		demands = append(demands, demand{store.Folder(), "a backup of the uploads", store.Takes(u, lastUploads(k.Layout, from.Name)), 0})
	}
	if images := k.Layout.Images(k.tenant.Name); copies(store.Folder(), images) {
		demands = append(demands, demand{images, "the uploads", u.Bytes(), int64(len(u.Files))})
	}
	if k.tenant.Server.Managed {
		server, err := k.Server(ctx, from.Server)
		if err != nil {
			return err
		}
		size, err := server.DumpSize(ctx, from.Database)
		if err != nil {
			return err
		}
		limits, err := k.server.Limits(ctx)
		if err != nil {
			return err
		}
		demands = append(demands, demand{limits.DataFolder, "the database", size, 0})
	}
	return roomFor(demands)
}
