package recovery

import (
	"context"
	"fmt"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/definitions"
)

// Lacks returns the obstacles to restoring a wiki by the definition in its backup, such as values
// that the farm lacks, a line each. No file of the farm defines the wiki yet. Lacks reads no
// uploads.
func Lacks(ctx context.Context, f *tenants.Farm, a *archive.Archive) ([]string, error) {
	text, err := readMember(ctx, f, a, archive.DefinitionMember)
	if err != nil {
		return nil, err
	}
	t, wrong, err := definitions.Draft(f.Dir, archive.DefinitionMember, text)
	if err != nil {
		return nil, err
	}
	var lacks []string
	for _, p := range wrong {
		lacks = append(lacks, p.String())
	}
	if t != nil && t.Codebase != nil {
		if _, err := codeFor(f, t, a.Manifest, ""); err != nil {
			lacks = append(lacks, err.Error())
		}
	}
	if a.Snapshot != "" {
		return lacks, nil
	}
	uploads, err := archive.UploadsOf(a.File)
	if err != nil {
		return nil, err
	}
	if files := archive.StoreOf(a.File).Lacks(uploads.Files); len(files) > 0 {
		lacks = append(lacks, fmt.Sprintf("%d of its %d uploads, such as %s, are not in %s: copy the whole folder of archives, with its folders wikis and files",
			len(files), len(uploads.Files), files[0].Path, archive.StoreOf(a.File).Folder()))
	}
	return lacks, nil
}
