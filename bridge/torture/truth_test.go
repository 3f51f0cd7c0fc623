package torture

import (
	"bytes"
	"context"
	"fmt"
	"net/mail"
	"slices"
	"time"

	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/ledger"
)

// words are the statuses, the worst last.
var words = []string{"Success", "Warning", "Failed"}

// outcome is the place in words that the design gives to a session's status.
func outcome(s covesim.Session) int {
	switch s.Status {
	case covesim.Completed:
		return int(min(s.ErrorsCount, 1))
	case covesim.Failed, covesim.Aborted, covesim.Interrupted, covesim.NotStarted, covesim.OverQuota, covesim.Blocked:
		return 2
	}
	return 1
}

// arrived is what is in a mailbox.
type arrived struct {
	mails, doubles int
	status         map[string]string // by run
}

// read counts mails, and reads of which run and status each tells.
func (r *rig) read(mails [][]byte) arrived {
	r.Helper()
	a := arrived{mails: len(mails), status: map[string]string{}}
	for _, raw := range mails {
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			r.Fatal(err)
		}
		run := m.Header.Get("X-Cove-Run")
		if id := m.Header.Get("Message-ID"); id != "<"+run+"@covebridge>" {
			r.Errorf("the mail of run %s has the Message-ID %s", run, id)
		}
		status := m.Header.Get("X-Cove-Status")
		if before, double := a.status[run]; double {
			a.doubles++
			if before != status {
				r.Errorf("%s came as %s and as %s", run, before, status)
			}
		}
		a.status[run] = status
	}
	return a
}

// compare checks that every session that ended in the span is told of in a mail
// that arrived, with the status that it must have, and that the ledger says the
// same.
func (r *rig) compare(a arrived, since, until time.Time) {
	r.Helper()
	missing, sessions := 0, 0
	miss := func(format string, args ...any) {
		r.Helper()
		if missing++; missing <= 20 {
			r.Errorf(format, args...)
		}
	}
	runOf, entries := r.recorded()
	worst, given := map[string]int{}, map[string]bool{} // given up and begun anew: then no status of its own
	for _, s := range r.sim.Truth() {
		run := runOf[key(s.DeviceID, s.Source, s.ID)]
		if s.Status == covesim.Restarted {
			given[run] = true
		} else {
			worst[run] = max(worst[run], outcome(s))
		}
	}
	for _, s := range r.sim.Ended(since, until) {
		sessions++
		run := runOf[key(s.DeviceID, s.Source, s.ID)]
		got := slices.Index(words, a.status[run])
		name := fmt.Sprintf("session %d of %d %s, %s to %s", s.ID, s.DeviceID, s.Source, s.Start.Format(time.DateTime), s.End.Format(time.DateTime))
		switch {
		case run == "":
			miss("%s is in no run", name)
		case got < 0:
			miss("%s is in run %s, whose mail is missing", name, run)
		case got != worst[run] && !(given[run] && got == 1 && worst[run] == 0):
			miss("%s: run %s came as %s, want %s", name, run, a.status[run], words[worst[run]])
		}
	}
	for _, e := range entries {
		if _, came := a.status[e.Run.ID]; came != (e.State == ledger.Sent) {
			miss("run %s is %s in the ledger; its mail came: %t", e.Run.ID, e.State, came)
		}
	}
	r.Logf("%d sessions, %d runs, %d mails, %d doubles, %d missing or wrong", sessions, len(a.status), a.mails, a.doubles, missing)
	if sessions < 50 {
		r.Errorf("only %d sessions were compared", sessions)
	}
}

func key(device int64, source string, id any) string { return fmt.Sprint(device, " ", source, " ", id) }

// recorded gives the runs of all sessions, and all runs, as the ledger has them.
func (r *rig) recorded() (runOf map[string]string, entries []ledger.Entry) {
	r.Helper()
	runOf = map[string]string{}
	r.look(func(ctx context.Context, l *ledger.Ledger) (err error) {
		for _, d := range r.sim.Devices() {
			sessions, err := l.Sessions(ctx, fmt.Sprintf("cove-%d", d.ID), time.Time{})
			if err != nil {
				return err
			}
			for _, s := range sessions {
				runOf[key(d.ID, s.Source.Key, s.ID)] = s.Run
			}
		}
		entries, err = l.Entries(ctx, ledger.Query{})
		return err
	})
	return runOf, entries
}

// once checks that no mail came twice, besides compare.
func (r *rig) once(server *dovecot.Server, until time.Time) {
	r.Helper()
	var all [][]byte
	for _, m := range server.Messages(r, "INBOX") {
		all = append(all, m.Bytes)
	}
	a := r.read(all)
	if a.doubles > 0 {
		r.Errorf("%d mails came twice", a.doubles)
	}
	r.compare(a, start, until)
}
