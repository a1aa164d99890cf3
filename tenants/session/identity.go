package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
)

// identify reads the farm's identity; zero if it has none yet. A state folder of other
// definitions is an error.
func identify(f *tenants.Farm) (Identity, error) {
	file := f.Layout().Identity()
	data, err := disk.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Identity{}, nil
	}
	if err != nil {
		return Identity{}, err
	}
	i, err := decodeIdentity(data)
	if err != nil {
		return i, fmt.Errorf("%s: %w", file, err)
	}
	return i, i.Check(f.Dir, file)
}

// FarmID returns the id of a farm's identity, or "" if it has none yet.
func FarmID(f *tenants.Farm) (string, error) {
	i, err := identify(f)
	return i.ID, err
}

// openLedger opens this farm's ledger. A read-only run creates nothing.
func (h *Host) openLedger(ctx context.Context, s *mariadb.Server) (*ledger.Ledger, error) {
	if h.options.Inspect {
		return ledger.Read(ctx, s, h.known(h.identity))
	}
	made := h.identity.ID == ""
	l, err := h.claimLedger(ctx, s)
	if !made || (!errors.Is(err, fs.ErrExist) && !errors.Is(err, ledger.ErrLostIdentity)) {
		return l, err
	}
	// Another run of this farm may have created the identity meanwhile.
	now, again := identify(h.Farm)
	if again != nil || now.ID == "" {
		return nil, errors.Join(err, again)
	}
	h.identity = now
	return h.claimLedger(ctx, s)
}

func (h *Host) claimLedger(ctx context.Context, s *mariadb.Server) (*ledger.Ledger, error) {
	i := h.identity
	if i.ID != "" {
		return ledger.Open(ctx, s, h.known(i))
	}
	i = newIdentity(h.Farm.Dir)
	f := h.known(i)
	f.Keep = func() error {
		data, err := i.Encode()
		if err != nil {
			return err
		}
		return deploy.WriteNew(h.Layout.Identity(), data, 0o644)
	}
	l, err := ledger.Open(ctx, s, f)
	if err == nil {
		h.identity = i
	}
	return l, err
}

// known returns the farm as its servers record it.
func (h *Host) known(i Identity) ledger.Farm {
	return ledger.Farm{
		ID: i.ID, Dir: h.Farm.Dir, Machine: h.options.Machine,
		Owns: func(tenant string) bool {
			return tenants.ValidName(tenant) && deploy.Exists(h.Layout.Secrets(tenant))
		},
		Missing: h.elsewhere,
	}
}

// elsewhere returns an error if another server of the farm has its ledger, as when a server was
// defined above the one that was the first. A server that can't be reached is not asked.
func (h *Host) elsewhere(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(h.Farm.Servers)) {
		if def := h.Farm.Servers[name]; def != h.Farm.Ledger && h.hasLedger(ctx, def) {
			return fmt.Errorf("this farm's ledger is on server %s: write ledger = %q above the tables of %s", name, name, tenants.FarmFile)
		}
	}
	return nil
}

// hasLedger reports whether a server has this farm's ledger.
func (h *Host) hasLedger(ctx context.Context, def *tenants.Server) bool {
	open := mariadb.Open
	if h.options.Inspect {
		open = mariadb.Connect
	}
	s, err := open(ctx, def, h.Layout, h.options.Password(def.PasswordName()))
	if err != nil {
		return false
	}
	defer s.Close()
	farms, err := s.Farms(ctx)
	return err == nil && slices.ContainsFunc(farms, func(f mariadb.FarmRow) bool { return f.ID == h.identity.ID })
}

// FarmID returns the id of the farm's identity, or "".
func (h *Host) FarmID() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.identity.ID
}

// AccountsOf returns the two accounts of a tenant with the passwords in the state folder.
// If this run may not read them, the names alone identify the accounts.
func (h *Host) AccountsOf(t *tenants.Tenant, further ...string) mariadb.Accounts {
	secrets, err := h.Deploy.ReadSecrets(t.Name)
	a := Accounts(t, secrets, further...)
	a.Named = errors.Is(err, fs.ErrPermission)
	return a
}
