package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/mariadb"
)

// hangLimit bounds the wait for a replica that does not answer.
const hangLimit = 10 * time.Second

// replicasQuiet is how long wikictl waits for a replica before it says so.
const replicasQuiet = 2 * time.Second

// BehindError reports a replica that was not up to date in time.
type BehindError struct {
	Replica *tenants.Server
	Lag     int64 // seconds
}

// Error names the replica and what to do.
func (e *BehindError) Error() string {
	return fmt.Sprintf("%s is %d seconds behind and did not catch up within the %d seconds of replica_wait, so readers would see an earlier state (wait until its SHOW SLAVE STATUS reports no lag, or take it out of replicas in [servers.%s], and run the command again)",
		e.Replica.Label(), e.Lag, e.Replica.Primary.ReplicaWait, e.Replica.Primary.Name)
}

// InspectReplica reads the state of a replica and the position of its primary.
func (h *Host) InspectReplica(ctx context.Context, replica *tenants.Server) mariadb.Replica {
	primary, err := h.Server(ctx, replica.Primary)
	if err != nil {
		return mariadb.Replica{Err: err}
	}
	server, err := h.Server(ctx, replica)
	if err != nil {
		return mariadb.Replica{Err: err}
	}
	return server.InspectReplica(ctx, primary)
}

// eachReplica calls do for all replicas of a server, concurrently.
func (h *Host) eachReplica(ctx context.Context, def *tenants.Server, do func(context.Context, *tenants.Server) error) error {
	if def == nil || len(def.Replicas) == 0 {
		return nil
	}
	options := fleet.Options[*tenants.Server]{Jobs: len(def.Replicas), MaxFailures: fleet.NoLimit}
	for _, r := range fleet.Run(ctx, def.Replicas, options, func(ctx context.Context, replica *tenants.Server) (struct{}, error) {
		return struct{}{}, do(ctx, replica)
	}) {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

// leaveOut reports, once per run, that a replica is left out.
func (h *Host) leaveOut(replica *tenants.Server, why string) {
	h.sayOnce(fmt.Sprintf("the %s is left out: %s", replica.Label(), why))
}

// sayOnce reports a message once per run, however many tenants it concerns.
func (h *Host) sayOnce(text string) {
	if _, reported := h.reported.LoadOrStore(text, true); !reported {
		h.Say(text)
	}
}

// Replicated waits until the replicas of a server have applied everything that the server has
// now, so that MediaWiki reads no earlier state. It returns a *BehindError if a replica takes
// too long, and an error if MediaWiki may read from a replica that wikictl can't query. It
// reports and skips a replica that is down or does not replicate: MediaWiki does not read from
// that either.
func (h *Host) Replicated(ctx context.Context, def *tenants.Server) error {
	return h.eachReplica(ctx, def, h.replicated)
}

func (h *Host) replicated(ctx context.Context, replica *tenants.Server) error {
	state := h.InspectReplica(ctx, replica)
	if state.Fault() == "" {
		reached, err := h.awaited(ctx, replica, state)
		if reached {
			return nil
		}
		if state = h.InspectReplica(ctx, replica); state.Fault() == "" {
			return cmp.Or[error](err, &BehindError{replica, state.Lag})
		}
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case state.Hidden():
		return errors.New(hidden(replica, state))
	}
	h.leaveOut(replica, state.Fault())
	return nil
}

// hidden describes a replica that wikis may read from and that wikictl can't wait for.
func hidden(replica *tenants.Server, state mariadb.Replica) string {
	correct := "correct its dsn and password_file"
	if state.Full() {
		correct = "raise its max_connections, or wait for a connection to end and run this again"
	}
	return fmt.Sprintf("the %s %s: %s; %s, or take it out of replicas in [servers.%s]", replica.Label(), state.Effect(), state.Fault(), correct, replica.Primary.Name)
}

// awaited waits for a replica, and reports that if it takes long.
func (h *Host) awaited(ctx context.Context, replica *tenants.Server, state mariadb.Replica) (bool, error) {
	server, err := h.Server(ctx, replica)
	if err != nil {
		return false, err
	}
	reached, err := server.Reached(ctx, state.Position, replicasQuiet)
	if err != nil || reached {
		return reached, err
	}
	h.sayOnce(fmt.Sprintf("waiting for the %s, which is behind", replica.Label()))
	return server.Reached(ctx, state.Position, time.Duration(replica.Primary.ReplicaWait)*time.Second)
}

// LeftOut returns remarks on the replicas of a server that wikis do not read from at present,
// and problems of replicas that wikis may read from and that Replicated can't wait for.
func (h *Host) LeftOut(ctx context.Context, def *tenants.Server) (remarks, problems []string) {
	for _, replica := range def.Replicas {
		state := h.InspectReplica(ctx, replica)
		switch why := state.Fault(); {
		case state.Hidden():
			problems = append(problems, hidden(replica, state))
		case why != "":
			remarks = append(remarks, fmt.Sprintf("the %s is not read from: %s", replica.Label(), why))
		case state.Lag > replica.MaxLag:
			remarks = append(remarks, fmt.Sprintf("the %s is %d seconds behind, more than its max_lag of %d", replica.Label(), state.Lag, replica.MaxLag))
		}
	}
	return remarks, problems
}
