package recovery

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"unicode/utf8"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/session"
)

// scan lists the uploads of a tenant, and returns an error that blocks its backup if links lead
// out of the folder. It is for plans, as a backup checks the links that it reads. For a user who
// may not read the folder the result is empty.
func scan(ctx context.Context, h *session.Host, t *tenants.Tenant) (archive.Uploads, error) {
	folder := h.Layout.Images(t.Name)
	u, err := archive.Scan(ctx, folder)
	if err == nil {
		err = u.CheckLinks(folder)
	}
	switch {
	case ctx.Err() != nil:
		return u, context.Cause(ctx)
	case err == nil || errors.Is(err, fs.ErrPermission):
		return u, nil
	}
	return u, &blockedError{err}
}

// linksIn returns an error that blocks the tenant's backup if links among the uploads lead out of
// the upload folder. A backup follows no link, because PHP's user could link to any file.
func (k *task) linksIn(u archive.Uploads) error {
	if err := u.CheckLinks(k.Layout.Images(k.tenant.Name)); err != nil {
		return &blockedError{err}
	}
	return nil
}

// linksForRestic returns an error that blocks a snapshot with a link whose target is not UTF-8:
// restic before 0.16.3 replaces bytes of it. Names of files may be any bytes.
func linksForRestic(u archive.Uploads) error {
	for path, target := range u.Links {
		if !utf8.ValidString(target) {
			return blocked("restic can't keep the upload %q, a link to %q, which is not UTF-8: remove the link, or rename what it leads to", path, target)
		}
	}
	return nil
}

// linkNames returns links with their targets.
func linkNames(links []archive.Link) string {
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.Path + " to " + l.Target
	}
	return strings.Join(names, ", ")
}
