package session

import (
	"context"
	"fmt"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/mariadb"
)

// replicasLimit bounds the wait for the replicas of a server.
const replicasLimit = 10 * time.Minute

// replicasQuiet is how long replicas are waited for before the user is told so.
const replicasQuiet = 2 * time.Second

// BehindError reports a replica that did not get everything in time.
type BehindError struct {
	Replica *tenants.Server
	Lag     int64 // seconds
}

// Error names the replica and what to do.
func (e *BehindError) Error() string {
	return fmt.Sprintf("%s is %d seconds behind and did not get everything within %s, so readers would see an earlier state (wait until SHOW SLAVE STATUS there says that it is up to date, or take it out of replicas in [servers.%s], and run the command again)",
		e.Replica.Label(), e.Lag, replicasLimit, e.Replica.Primary.Name)
}

// passwordName returns the name of the server whose password in the environment a server
// has: a replica without a file of its own has its primary's.
func passwordName(def *tenants.Server) string {
	if def.Primary != nil && def.PasswordFile == def.Primary.PasswordFile {
		return def.Primary.Name
	}
	return def.Name
}

// LinkState is the observed state of a replica.
type LinkState struct {
	Err error // it does not answer; the rest is empty then
	mariadb.Link
	Position mariadb.Position // of its primary, from before
}

// Fault returns why MediaWiki does not read from the replica, or "".
func (s LinkState) Fault() string {
	switch {
	case s.Err != nil:
		return s.Err.Error()
	case s.Source == "":
		return "it replicates no server"
	case s.SourceID != 0 && s.SourceID != s.Position.ID:
		return fmt.Sprintf("it replicates another server, %s", s.Source)
	case !s.Running && s.Error != "":
		return "it does not replicate: " + s.Error
	case !s.Running:
		return "it does not replicate: START SLAVE was not run, or it can't connect to " + s.Source
	}
	return ""
}

// Link reads the state of a replica and where its primary is.
func (h *Host) Link(ctx context.Context, replica *tenants.Server) (s LinkState) {
	primary, err := h.Server(ctx, replica.Primary)
	if err == nil {
		s.Position, err = primary.Position(ctx)
	}
	if err != nil {
		return LinkState{Err: err}
	}
	server, err := h.Server(ctx, replica)
	if err == nil {
		s.Link, err = server.Link(ctx)
	}
	s.Err = err
	return s
}

// Replicated waits until the replicas of a server have everything that the server has now,
// so that what is shown next is not read from an earlier state. It is an error if that takes
// too long. A replica that is down or does not replicate is said and left out: MediaWiki
// does not read from it either.
func (h *Host) Replicated(ctx context.Context, def *tenants.Server) error {
	if def == nil || len(def.Replicas) == 0 {
		return nil
	}
	options := fleet.Options[*tenants.Server]{Jobs: len(def.Replicas), MaxFailures: fleet.NoLimit}
	for _, r := range fleet.Run(ctx, def.Replicas, options, h.replicated) {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

func (h *Host) replicated(ctx context.Context, replica *tenants.Server) (none struct{}, err error) {
	s := h.Link(ctx, replica)
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	if why := s.Fault(); why != "" {
		if _, told := h.told.LoadOrStore(replica.Label()+why, true); !told {
			h.Say(fmt.Sprintf("the %s is left out: %s", replica.Label(), why))
		}
		return none, nil
	}
	server, err := h.Server(ctx, replica)
	if err != nil {
		return none, err
	}
	reached, err := server.Reached(ctx, s.Position, replicasQuiet)
	if err == nil && !reached {
		if _, told := h.told.LoadOrStore(replica.Label(), true); !told {
			h.Say(fmt.Sprintf("waiting for the %s, which is %d seconds behind", replica.Label(), s.Lag))
		}
		reached, err = server.Reached(ctx, s.Position, replicasLimit)
	}
	if err != nil || reached {
		return none, err
	}
	link, err := server.Link(ctx)
	if err == nil && link.Running {
		err = &BehindError{replica, link.Lag}
	}
	return none, err
}
