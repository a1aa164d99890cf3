package observe

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
)

// MostUploads is the number of uploads, of earlier versions and of deleted files each that an audit
// of a wiki compares with its upload folder.
const MostUploads = 50_000

// mostFaults is the number of uploads whose faults are kept.
const mostFaults = 5

// StoredUploads is the comparison of the uploads that a wiki's database names with its upload folder.
type StoredUploads struct {
	Compared int
	Part     bool     // the database names more
	Wrong    int      // missing, or of another size: uploads and their earlier versions
	Deleted  int      // the same of deleted files
	Faults   []string // of the first, each with its place in the folder
}

// inspectUploads searches an upload folder for links and for what no backup has, unless this user may not read it.
func (s *Wiki) inspectUploads(ctx context.Context, folder string) {
	u, err := archive.Scan(ctx, folder)
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		s.Unscanned = err
	}
	s.Links, s.Omitted = u.CheckLinks(folder), u.Omitted()
}

// compareUploads fills in Stored. Faults are looked for twice, with a function called in between that
// takes a moment: MediaWiki moves files before it changes their rows.
func (s *Wiki) compareUploads(ctx context.Context, servers map[string]Server, t *tenants.Tenant, folder string, meanwhile func()) {
	u := s.openUploads(servers, t, folder)
	if u == nil {
		meanwhile()
		return
	}
	defer u.root.Close()
	found, err := u.compare(ctx)
	meanwhile()
	if err == nil && len(found.Faults) > 0 {
		found, err = u.compare(ctx)
	}
	s.Stored, s.Unscanned = found, errors.Join(s.Unscanned, err)
}

// uploadsOf has what is needed to compare the uploads of one wiki.
type uploadsOf struct {
	server   *mariadb.Server
	database string
	folders  tenants.UploadFolders
	root     *os.Root
	wrong    map[string]bool // places of the files that were wrong once
}

// openUploads opens a tenant's upload folder for a comparison; nil if there is nothing to compare:
// folder or tables can't be read or are missing, which other rules report, or the uploads may be
// elsewhere.
func (s *Wiki) openUploads(servers map[string]Server, t *tenants.Tenant, folder string) *uploadsOf {
	server := servers[t.Server.Name]
	if server.Err != nil || server.Inspection == nil || s.Row.Server != t.Server.Name || s.Row.Database != t.Database {
		return nil
	}
	found, arranged := server.Databases[t.Database], t.UploadFolders()
	if found == nil || !found.Has("image") || !found.Has("oldimage") || !found.Has("filearchive") || !arranged.Known {
		return nil
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil
	}
	return &uploadsOf{server.server, t.Database, arranged, root, nil}
}

// compare compares the files that the database names with the folder. The second call leaves out
// files that were not wrong in the first one.
func (u *uploadsOf) compare(ctx context.Context) (StoredUploads, error) {
	var c StoredUploads
	kinds, wrong := map[string]int64{}, map[string]bool{}
	err := u.server.EachStoredFile(ctx, u.database, MostUploads, func(f mediawiki.StoredFile) {
		c.Compared++
		if kinds[kindOf(f)]++; kinds[kindOf(f)] == MostUploads {
			c.Part = true
		}
		place := f.Place(u.folders.Hashed)
		if u.wrong != nil && !u.wrong[place] {
			return
		}
		info, err := u.root.Lstat(place)
		if fault := f.Fault(info, err); fault != "" {
			wrong[place] = true
			c.add(f, place+" "+fault)
		}
	})
	u.wrong = wrong
	if !u.folders.Sure && len(wrong) == c.Compared {
		return StoredUploads{}, err
	}
	return c, err
}

func kindOf(f mediawiki.StoredFile) string {
	switch {
	case f.Key != "":
		return "deleted"
	case f.Archive != "":
		return "earlier"
	}
	return "upload"
}

func (c *StoredUploads) add(f mediawiki.StoredFile, fault string) {
	if f.Key != "" {
		c.Deleted++
	} else {
		c.Wrong++
	}
	if len(c.Faults) < mostFaults {
		c.Faults = append(c.Faults, fault)
	}
}
