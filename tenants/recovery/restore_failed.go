package recovery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
)

// failed opens an unchanged tenant again. It leaves a changed one to the next run.
func (r *restoration) failed(ctx context.Context, why error) error {
	if r.Fresh || r.Phase != beginning || r.row.State != ledger.Recovering || ctx.Err() != nil || errors.As(why, new(*mariadb.LostError)) {
		return r.unfinished(why)
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := r.steps(after, []step{
		{"open", func() error { return r.thaw(after) }},
		{"back", func() error {
			row := r.row
			row.State, row.Run = ledger.Ready, r.RunID
			return r.ledger.Advance(after, r.row, row)
		}},
		{"forget", func() error { return os.RemoveAll(r.Layout.Restoring(r.tenant.Name)) }},
	})
	if err != nil {
		return r.unfinished(errors.Join(why, err))
	}
	return &untouchedError{fmt.Errorf("%w; nothing of it was changed", why)}
}

// unfinished adds the command that finishes the restore to an error.
func (r *restoration) unfinished(why error) error {
	if r.row.State != ledger.Recovering { // it was not started
		return why
	}
	next := r.goesOn(r.tenant)
	if r.Safety != "" {
		next += fmt.Sprintf(", and --from %s brings back what it held before", r.Safety)
	}
	return tenants.WithHint(why, next)
}

// tell sets the note of the outcome.
func (r *restoration) tell() {
	what := "it is"
	if r.Only != "" {
		what = fmt.Sprintf("its %s is", r.Only)
	}
	r.note = r.addConsequences(fmt.Sprintf("%s as on %s UTC", what, r.manifest.Taken.UTC().Format(time.DateTime)))
}

// addConsequences adds consequences of the restore to the note.
func (r *restoration) addConsequences(what string) string {
	if len(r.Lost) > 0 {
		what += fmt.Sprintf(", but %d of its uploads are lost, which are damaged or missing in the backup: %s", len(r.Lost), archive.NameSome(r.Lost))
	}
	if r.Safety != "" {
		what += fmt.Sprintf("; its earlier content is in %s", r.Safety)
	}
	if links := r.have.Outward(); len(links) > 0 && r.Only == OnlyDatabase {
		what += fmt.Sprintf(" but for what is behind links that lead out of the upload folder, which stay: %s", linkNames(links))
	}
	if links := r.want.Outward(); len(links) > 0 && r.Only != OnlyDatabase {
		what += fmt.Sprintf("; links of the backup that lead out of the upload folder were omitted: %s", linkNames(links))
	}
	if names := r.unrestored(); len(names) > 0 && !r.Fresh && r.Only != OnlyUploads {
		what += fmt.Sprintf("; the backup lacks %s, which stay as they were", strings.Join(names, ", "))
	}
	if r.Only != OnlyUploads && r.manifest.ComponentSet != r.tenant.ComponentSet(r.tenant.Codebase) {
		what += fmt.Sprintf("; it runs on MediaWiki %s now: wikictl upgrade %s takes it to the code that is wanted", r.code.Version, r.tenant.Name)
	}
	return what
}
