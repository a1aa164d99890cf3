package ui

import (
	"time"

	"wikictl/tenants/ledger"
)

// LossRow is a loss of an upgrade in JSON.
type LossRow struct {
	Tenant       string     `json:"tenant"`
	Run          string     `json:"run"`
	Table        string     `json:"table,omitempty"`
	Rows         int64      `json:"rows"`
	What         string     `json:"what"`
	Backup       string     `json:"backup,omitempty"` // file of the dump that contains it
	Noted        *time.Time `json:"noted,omitempty"`
	Acknowledged *time.Time `json:"acknowledged,omitempty"`
	Acknowledger string     `json:"acknowledger,omitempty"`
}

// NewLossRow returns the row of a loss.
func NewLossRow(l ledger.Loss) LossRow {
	r := LossRow{Tenant: l.Tenant, Run: l.Run, Table: l.Table, Rows: l.Rows, What: l.What, Backup: l.Backup, Acknowledger: l.Acknowledger}
	if l.Noted.Valid {
		r.Noted = &l.Noted.Time
	}
	if l.Acknowledged.Valid {
		r.Acknowledged = &l.Acknowledged.Time
	}
	return r
}

// WhereLost describes where a lost row can be found.
func WhereLost(l ledger.Loss) string {
	if l.Backup == "" {
		return "there is no dump from before"
	}
	return "the dump from before has it: " + l.Backup
}
