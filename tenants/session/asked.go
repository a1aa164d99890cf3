package session

import (
	"context"
	"fmt"
	"strings"
	"time"

	"wikictl/tenants/wiki"
)

// shortened is the number of characters by which a page's text must shrink, besides
// losing half of its length, to count as damaged by a broken template or extension.
const shortened = 100

// askPages requests the pages that the farm's files name.
func (h *Host) askPages(ctx context.Context, s *Sight, before []Check) {
	for _, path := range s.Pages {
		var was Check
		if i := find(before, path); i >= 0 {
			was = before[i]
		}
		limit := max(pageLimit, 2*time.Duration(was.Seconds*float64(time.Second)))
		h.patiently(ctx, before, was, func() (err error) {
			start := time.Now()
			text, err := wiki.ReadText(ctx, h.Farm.ProbeBy(s.Hosts[0]), s.Hosts[0], path, limit)
			s.put(path, err, start)
			last := &s.Checks[len(s.Checks)-1]
			last.Title, last.Length = text.Title, text.Length
			return err
		})
	}
}

// patiently repeats a request while the answer may come from a web server that is still
// reloading its configuration.
func (h *Host) patiently(ctx context.Context, before []Check, was Check, ask func() error) {
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := ask()
		if reloads := before != nil && elsewhere(err) && was.Wrong == ""; !reloads || ctx.Err() != nil || time.Since(begun) > reloadLimit {
			return
		}
	}
}

// named reports whether a check is of a page that the farm's files name.
func (c Check) named() bool { return strings.HasPrefix(c.What, "/") }

// differs returns an error if a named page answers with another title or a much shorter
// text than before.
func (c Check) differs(was Check) error {
	switch {
	case !c.named() || was.What == "" || was.Wrong != "" || c.Wrong != "":
		return nil
	case c.Title != was.Title:
		return fmt.Errorf("the title of %s was %q and is %q; if that is right, take the page out of pages in [upgrade]", c.What, was.Title, c.Title)
	case 2*c.Length < was.Length && was.Length-c.Length >= shortened:
		return fmt.Errorf("the text of %s had %d characters and has %d; if that is right, take the page out of pages in [upgrade]", c.What, was.Length, c.Length)
	}
	return nil
}
