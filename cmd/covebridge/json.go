package main

import (
	"bytes"
	"context"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
	"covebridge/bridge/message"
)

// runJSON is a run in the output of history and devices.
type runJSON struct {
	Device   string            `json:"device"`
	Customer string            `json:"customer"`
	Account  string            `json:"account"`
	Run      string            `json:"run"`
	Job      string            `json:"job"`
	Kind     backup.Kind       `json:"kind"`
	Status   string            `json:"status"`
	Start    time.Time         `json:"start,omitzero"`
	End      time.Time         `json:"end,omitzero"`
	Subject  string            `json:"subject"` // of the mail; empty: none is stored
	Errors   []errorJSON       `json:"errors"`
	Mail     backup.EntryState `json:"mail"`
	Reason   string            `json:"reason,omitempty"`
	Receipt  string            `json:"receipt,omitempty"`
}

// errorJSON is an error of one of the run's sessions.
type errorJSON struct {
	Source string `json:"source"`
	backup.Error
}

// deviceJSON is a device with its newest run; run is empty where there is none yet.
type deviceJSON struct {
	runJSON
	Type      string `json:"type"`
	NoHistory string `json:"no_history,omitempty"` // why its history can't be read
}

// runJSON tells of a run. The entries of a list come without their mails, which
// the subject is in.
func (a *app) runJSON(ctx context.Context, l *ledger.Ledger, id string) (runJSON, error) {
	e, _, err := l.Entry(ctx, id)
	if err != nil {
		return runJSON{}, err
	}
	r := runJSON{
		Run: e.Run.ID, Device: e.Run.Device.Name, Customer: e.Run.Device.Customer, Account: e.Account,
		Job: e.Run.Job, Kind: e.Run.Kind, Status: e.Run.Status.String(), Start: e.Run.Start.In(a.zone()), End: e.Run.End.In(a.zone()),
		Errors: []errorJSON{}, Mail: e.State, Reason: e.Reason, Receipt: e.Receipt,
	}
	for _, s := range e.Run.Sessions {
		for _, x := range s.Errors {
			r.Errors = append(r.Errors, errorJSON{s.Source.Name, x})
		}
	}
	if len(e.Mail) > 0 {
		mail, err := message.Read(bytes.NewReader(e.Mail))
		if err != nil {
			return r, err
		}
		r.Subject = mail.Subject
	}
	return r, nil
}

func (a *app) historyJSON(ctx context.Context, l *ledger.Ledger, entries []backup.Entry) error {
	runs := []runJSON{}
	for _, e := range entries {
		r, err := a.runJSON(ctx, l, e.Run.ID)
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	return a.printJSON(runs)
}

func (a *app) devicesJSON(ctx context.Context, l *ledger.Ledger, devices []ledger.DeviceStatus) error {
	all := []deviceJSON{}
	for _, d := range devices {
		r := runJSON{Errors: []errorJSON{}}
		if d.RunID != "" {
			var err error
			if r, err = a.runJSON(ctx, l, d.RunID); err != nil {
				return err
			}
		}
		r.Device, r.Customer, r.Account = d.Name, d.Customer, d.Account
		all = append(all, deviceJSON{r, d.Type, d.NoHistory})
	}
	return a.printJSON(all)
}
