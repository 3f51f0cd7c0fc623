package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/cove"
	"covebridge/bridge/finding"
	"covebridge/bridge/status"
)

const (
	// minAlarmInterval is the least time between two heartbeats out of turn.
	minAlarmInterval = time.Hour
	// firstHeartbeatWait is how long the first heartbeat waits for an account that
	// has never been polled.
	firstHeartbeatWait = time.Hour

	heartbeatJob = "covebridge"
)

// heartbeatState is what the heartbeats before came to; it is kept in the ledger, for all
// bridges on it.
type heartbeatState struct {
	Last      time.Time `json:"at"`             // when the last one was made
	LastAlarm time.Time `json:"alarm,omitzero"` // when the last one out of turn was
	Failed    bool      `json:"bad"`            // the last one told of a Failed
}

// heartbeat queues the mail that tells how covebridge is, where one is due: once
// in Options.Heartbeat, and at once where the worst findings come or go.
func (b *Bridge) heartbeat(ctx context.Context, s status.Status) error {
	if b.Heartbeat == 0 || b.Collect.Renderer == nil {
		return nil
	}
	text, err := b.Ledger.Value(ctx, "heartbeat")
	if err != nil {
		return err
	}
	var last heartbeatState
	_ = json.Unmarshal([]byte(text), &last) // unreadable: there was none
	period, next, due := nextHeartbeat(s, last, b.Heartbeat, b.Location)
	if !due || next.LastAlarm.IsZero() && anyNeverPolled(s) && b.Now().Sub(b.self.started) < firstHeartbeatWait {
		return nil
	}
	r := heartbeatRun(s, period, b.Location)
	if err := b.queueOwnMail(ctx, r); err != nil {
		return err
	}
	kept, err := json.Marshal(next)
	if err != nil {
		return err
	}
	return b.Ledger.SetValue(ctx, "heartbeat", string(kept))
}

// queueOwnMail queues a mail of the bridge's own.
func (b *Bridge) queueOwnMail(ctx context.Context, r backup.Run) error {
	mail, err := b.Collect.Renderer.Render(r)
	if err != nil {
		return fmt.Errorf("make the mail of %s: %w", r.Job, err)
	}
	err = b.Ledger.Queue(ctx, backup.Entry{Run: r, State: backup.EntryQueued, MessageID: mail.MessageID, Mail: mail.Bytes})
	if err == nil {
		b.deliverer.Wake()
	}
	return err
}

// periodStart is the beginning of the period that a moment is in: periods of this length,
// at most a day, are counted from midnight.
func periodStart(now time.Time, every time.Duration, location *time.Location) time.Time {
	midnight := status.Midnight(now, location)
	return midnight.Add(now.Sub(midnight).Truncate(every))
}

// nextHeartbeat tells whether a heartbeat is due, and what it is known by: the
// beginning of its turn, so that of several bridges one makes it, or the minute
// of an alarm.
func nextHeartbeat(s status.Status, last heartbeatState, every time.Duration, location *time.Location) (period time.Time, next heartbeatState, due bool) {
	period = periodStart(s.At, every, location)
	bad := worstStatus(s.Findings) == backup.Failed
	next = heartbeatState{Last: s.At, LastAlarm: last.LastAlarm, Failed: bad}
	if last.Last.Before(period) || last.Last.After(s.At.Add(every)) { // or the clock was put back
		return period, next, true
	}
	next.LastAlarm = s.At
	apart := s.At.Sub(last.LastAlarm)
	return s.At.Truncate(time.Minute), next, bad != last.Failed && (apart >= minAlarmInterval || apart < 0)
}

// anyNeverPolled tells whether an account was never polled.
func anyNeverPolled(s status.Status) bool {
	for _, a := range s.Accounts {
		if a.LastPoll.IsZero() {
			return true
		}
	}
	return false
}

// heartbeatRun makes a run of how things stand: its data sources are the
// accounts, the mailbox, and what both stand on; its errors are the findings.
func heartbeatRun(s status.Status, period time.Time, location *time.Location) backup.Run {
	d := backup.Device{Product: heartbeatJob, Software: cove.Software, ID: "self", Name: heartbeatJob, Type: backup.HeartbeatType, UsedStorage: backup.Unknown}
	for _, b := range s.Bridges {
		if b.Alive(s.At) {
			d.Computer, _, _ = strings.Cut(b.Name, ":")
			break
		}
	}
	r := backup.Run{Kind: backup.Heartbeat, Job: heartbeatJob, Device: d, Start: s.At, End: s.At, Status: worstStatus(s.Findings)}
	r.ID = backup.Identity(d, nil, period, backup.Heartbeat)
	at := func(t time.Time) string { return t.In(location).Format("2 Jan, 15:04 MST") }
	for _, a := range s.Accounts {
		result := "never polled well so far"
		if !a.LastGood.IsZero() {
			result = fmt.Sprintf("%d devices, polled %s", a.Devices, at(a.LastGood))
		}
		r.Sessions = append(r.Sessions, findingsSession(s, "account "+a.Name, "Cove account "+a.Name, result, func(f finding.Finding) bool { return f.Subject == a.Name }))
	}
	delivered := fmt.Sprintf("%d mails of the last day's runs delivered, %d wait", s.Lag.Runs, s.Backlog.Mails)
	if s.Lag.Runs > 0 {
		delivered += fmt.Sprintf("; half of them within %s", s.Lag.Median.Round(time.Minute))
	}
	ofMails := func(f finding.Finding) bool { return f.Subject == "" && strings.HasPrefix(f.Name, "mail") }
	r.Sessions = append(r.Sessions,
		findingsSession(s, "mailbox", "Mailbox", delivered, ofMails),
		findingsSession(s, "covebridge", "covebridge itself", "at work", func(f finding.Finding) bool { return f.Subject == "" && !ofMails(f) }))
	return r
}

// findingsSession makes a data source of what the findings that concern it tell.
func findingsSession(s status.Status, key, name, result string, concerns func(finding.Finding) bool) backup.Session {
	p := ownSession(key, name)
	p.Result = result
	var mine []finding.Finding
	for _, f := range s.Findings {
		if !concerns(f) {
			continue
		}
		mine = append(mine, f)
		text := f.What + ": " + f.Why
		if f.Remedy != "" {
			text += " - " + f.Remedy
		}
		p.Errors = append(p.Errors, backup.Error{Time: f.Since, Text: text, Count: 1})
	}
	p.Status = worstStatus(mine)
	return p
}

// ownSession is a data source of a mail of the bridge's own: nothing of it was
// selected or sent.
func ownSession(key, name string) backup.Session {
	return backup.Session{ID: key, Source: backup.DataSource{Key: key, Name: name}, State: backup.Ended,
		SelectedCount: backup.Unknown, SelectedBytes: backup.Unknown, ProcessedCount: backup.Unknown, ProcessedBytes: backup.Unknown, SentBytes: backup.Unknown}
}

// worstStatus is the status of the worst finding.
func worstStatus(all []finding.Finding) backup.Status {
	w := backup.Success
	for _, f := range all {
		if f.Severity == finding.Failed {
			return backup.Failed
		}
		w = backup.Warning
	}
	return w
}
