package cli

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/migrations/upgrade"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/plan"
	"wikictl/tenants/recovery"
	"wikictl/tenants/session"
	"wikictl/tenants/staging"
)

func (a *app) stageCommand() *cli.Command {
	return &cli.Command{
		Name: "stage", Usage: "try new code on a copy of a wiki, and compare pages", ArgsUsage: "NAME",
		Description: about(`
			Makes a staging copy of a wiki, without private data of its users, upgrades the copy to the codebase that the
			definition or --codebase names, and compares status and text of ten pages of both. The wiki stays open for readers and
			editors. The copy is private, sends no mail and runs no jobs by itself. Its definition is beside that of the wiki, its
			administrator's log-in in its secrets file. Repeated, it replaces the copy's content. wikictl delete removes the copy.
		`, "wikictl stage btrfs --dry-run"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "as", Usage: "name of the copy", DefaultText: "NAME-stage"},
			&cli.StringFlag{Name: "codebase", Usage: "codebase to upgrade the copy to", DefaultText: "that of the wiki's definition"},
			&cli.StringFlag{Name: "host", Usage: "host name of the copy", DefaultText: "its name and .localhost"},
			&cli.BoolFlag{Name: "with-users", Usage: "copy mail addresses, passwords, preferences and watchlists of users, too"},
			dryRunFlag("what would be made"),
			eventsFlag(),
		},
		Action: a.runStage,
	}
}

// staged is one run of the command.
type staged struct {
	*app
	c     *cli.Context
	farm  *tenants.Farm
	wiki  *tenants.Tenant
	copy  *tenants.Tenant // nil: no file defines it yet
	new   staging.Copy
	file  string // the copy's definition, relative to the farm's folder
	begun time.Time
	back  func() error // takes back the definition that was written; nil: none was
}

func (a *app) runStage(c *cli.Context) error {
	s := &staged{app: a, c: c, begun: time.Now()}
	if err := s.prepare(); err != nil {
		return err
	}
	o := recovery.CloneOptions{Anonymize: !c.Bool("with-users"), Replace: true}
	text := staging.Definition(s.wiki, s.new)
	to, err := s.drafted(text)
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return a.previews(c, s.farm, func(h *session.Host) (*plan.Plan, error) { return recovery.PreviewClone(c.Context, h, s.wiki, to, o) })
	}
	if err := s.define(text); err != nil {
		return err
	}
	if err := s.makeCopy(o); err != nil {
		return errors.Join(err, s.withdraw())
	}
	if err := s.upgradeCopy(); err != nil {
		return err
	}
	return s.compare()
}

// prepare reads the farm and checks the arguments.
func (s *staged) prepare() (err error) {
	if s.farm, err = loadFarm(s.c); err != nil {
		return err
	}
	if s.c.NArg() != 1 {
		return tenants.WithHint(usagef("name one wiki"), "wikictl list lists them")
	}
	name := s.c.Args().First()
	if s.wiki = s.farm.Tenant(name); s.wiki == nil {
		return tenants.WithHint(usagef("no file defines %s", name), "wikictl list lists the wikis")
	}
	if s.wiki.Blocked() {
		return fmt.Errorf("%s: %w", name, session.InTheWay(s.wiki.Faults))
	}
	if err := staging.Refused(s.wiki); err != nil {
		return usagef("%s", err)
	}
	s.new = staging.Copy{Name: cmp.Or(s.c.String("as"), name+"-stage"), Host: s.c.String("host"), Codebase: s.wiki.Codebase}
	if word := s.c.String("codebase"); word != "" {
		if s.new.Codebase = s.farm.Codebases[word]; s.new.Codebase == nil {
			return tenants.WithHint(usagef("--codebase %q: the farm has no such codebase", word), "[codebases] in wikictl.toml lists them")
		}
	}
	if !tenants.ValidName(s.new.Name) || s.new.Name == name {
		return usagef("--as %q is not a name of a new wiki", s.new.Name)
	}
	s.file = filepath.Join(filepath.Dir(s.wiki.Position.File), s.new.Name+".toml")
	s.copy = s.farm.Tenant(s.new.Name)
	switch {
	case s.copy == nil:
	case s.copy.StageOf != name:
		return tenants.WithHint(usagef("the wiki %s exists, and is not a staging copy of %s", s.copy.Name, name), "--as gives the copy another name")
	default:
		s.file, s.new.Database = s.copy.Position.File, s.copy.Database
		s.new.Host = cmp.Or(s.new.Host, s.copy.Hosts[0])
	}
	if s.copy == nil && deploy.Exists(filepath.Join(s.farm.Dir, s.file)) {
		return tenants.WithHint(usagef("the file %s exists, and does not define %s", s.file, s.new.Name), "move it away, or give the copy another name with --as")
	}
	return nil
}

// drafted checks the definition of a copy that does not exist yet, before it is written, and
// returns the tenant that it would define.
func (s *staged) drafted(text []byte) (*tenants.Tenant, error) {
	if s.copy != nil {
		to := *s.copy
		to.Codebase = s.new.Codebase
		return &to, nil
	}
	to, wrong, err := definitions.Draft(s.farm.Dir, s.file, text)
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("%s can't be defined on codebase %s: %w", s.new.Name, s.new.Codebase.Name, session.InTheWay(wrong))
	}
	return to, err
}

// define writes the definition of the copy, and reads the farm again. It refuses a name under
// which the ledger has a wiki that no file defines.
func (s *staged) define(text []byte) error {
	if s.copy == nil {
		err := s.withHost(s.farm, false, func(h *session.Host) error {
			l, err := h.Ledger(s.c.Context)
			if err != nil {
				return err
			}
			_, found, err := l.Tenant(s.c.Context, s.new.Name)
			if err == nil && found {
				err = tenants.WithHint(fmt.Errorf("the ledger has a wiki %s that no file defines", s.new.Name), "--as gives the copy another name")
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	back, err := recovery.PlaceDefinition(filepath.Join(s.farm.Dir, s.file), text, 0o644)
	if err != nil {
		return err
	}
	if s.copy == nil {
		s.back = back
	}
	f, err := loadFarm(s.c)
	if err == nil {
		s.farm, s.wiki, s.copy = f, f.Tenant(s.wiki.Name), f.Tenant(s.new.Name)
		switch {
		case s.copy == nil:
			err = tenants.WithHint(fmt.Errorf("the farm does not read %s", s.file), "give tenants in wikictl.toml a pattern of the folder, such as \"tenants/*.toml\"")
		case s.copy.Blocked():
			err = fmt.Errorf("%s can't be defined on codebase %s: %w", s.new.Name, s.new.Codebase.Name, session.InTheWay(s.copy.Faults))
		}
	}
	if err != nil {
		return errors.Join(err, back())
	}
	return nil
}

// withdraw takes back the definition of a copy if nothing was made for it: wikictl apply would
// make an empty wiki from it.
func (s *staged) withdraw() error {
	if s.back == nil {
		return nil
	}
	return s.withHost(s.farm, true, func(h *session.Host) error {
		l, err := h.Ledger(s.c.Context)
		if err != nil {
			return err
		}
		if _, begun, err := l.Tenant(s.c.Context, s.new.Name); begun || err != nil {
			return err
		}
		return s.back()
	})
}

// part runs a part of the command, and prints its outcomes if it fails.
func (s *staged) part(do func(h *session.Host, o session.Observer) ([]session.Outcome, error)) error {
	return s.withBoard(s.c, s.farm, func(h *session.Host, open func(total int) *ui.Board) error {
		b := open(1)
		outcomes, err := do(h, b)
		b.Close()
		for _, o := range outcomes {
			if o.Status.Failure() || o.Status == session.Skipped {
				return errors.Join(err, s.report("stage", h, outcomes, time.Since(s.begun), asJSON(s.c)))
			}
		}
		return err
	})
}

// makeCopy clones the wiki, or replaces the copy's content. An upgrade of the copy that was
// interrupted is finished instead.
func (s *staged) makeCopy(o recovery.CloneOptions) error {
	return s.part(func(h *session.Host, b session.Observer) ([]session.Outcome, error) {
		l, err := h.Ledger(s.c.Context)
		if err != nil {
			return nil, err
		}
		if _, open, err := l.OpenUpgrade(s.c.Context, s.copy.Name); err != nil || open {
			return nil, err
		}
		o.Observer, o.Drain = b, s.drained
		return recovery.Clone(s.c.Context, h, s.wiki, s.copy, o)
	})
}

// upgradeCopy upgrades the copy as wikictl upgrade does.
func (s *staged) upgradeCopy() error {
	return s.part(func(h *session.Host, b session.Observer) ([]session.Outcome, error) {
		o := upgrade.Options{
			Jobs: 1, MaxFailures: upgrade.Share{N: 1}, Backup: upgrade.ByDump, Ahead: upgrade.AheadNo, Limit: time.Hour, Patience: 10 * time.Second,
			Drain: s.drained, Observer: b,
		}
		list := []*tenants.Tenant{s.copy}
		p, err := upgrade.Make(s.c.Context, h, list, o)
		if err != nil {
			return nil, err
		}
		return upgrade.Run(s.c.Context, h, p, o)
	})
}

// compare prints the comparison of pages. It returns errFound if one differs.
func (s *staged) compare() error {
	return s.withHost(s.farm, false, func(h *session.Host) error {
		_, rows, err := h.ReadLedger(s.c.Context)
		if err != nil {
			return err
		}
		of, copy := rows[s.wiki.Name].Version, rows[s.copy.Name].Version
		list, err := staging.Compare(s.c.Context, h, s.wiki, s.copy, []string{of, copy})
		if err != nil {
			return err
		}
		if err := s.print(list, of, copy); err != nil {
			return err
		}
		s.tidy(h)
		for _, p := range list {
			if !p.Same {
				return errFound
			}
		}
		return nil
	})
}

// print prints the comparison.
func (s *staged) print(list []staging.Compared, of, copy string) error {
	different := 0
	table := make([][]any, 0, len(list))
	for _, p := range list {
		verdict := "same"
		switch {
		case p.Edited:
			verdict = "edited since it was copied"
		case !p.Same:
			verdict = p.Why
			different++
		}
		table = append(table, []any{p.Page, p.Status, p.CopyStatus, verdict})
	}
	if asJSON(s.c) {
		return ui.WriteJSON(s.stdout, map[string]any{
			"command": "stage", "wiki": s.wiki.Name, "copy": s.copy.Name, "version": of, "copy_version": copy,
			"pages": list, "different": different, "seconds": time.Since(s.begun).Seconds(),
		})
	}
	ui.Table(s.stdout, []any{"page", of, copy, "text"}, table)
	_, err := fmt.Fprintf(s.stdout, "stage: %s is a copy of %s on MediaWiki %s; %d of %d pages differ\nits log-in is in %s, its address %s\n",
		s.copy.Name, s.wiki.Name, copy, different, len(list), s.farm.Layout().Secrets(s.copy.Name), s.copy.Hosts[0])
	return err
}
