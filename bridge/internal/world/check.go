package world

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

// check tells what came out wrong. What arrived is judged by the mails' own
// words; the ledger is asked for what never got there.
func (w *World) check(l *ledger.Ledger) error {
	mails := make([]mail, len(w.store.mails))
	for i, m := range w.store.mails {
		mails[i] = readMail(m)
	}
	w.once(mails)
	for device := range w.Devices {
		w.testsOf(device, mails)
		backups := slices.DeleteFunc(slices.Clone(mails), func(m mail) bool { return m.kind == backup.RecoveryType })
		w.sessionsOf(device, backups)
		w.nothingFalse(device, backups)
		w.order(device, backups)
	}
	w.quietly()
	return w.ledgerOf(l)
}

// mail is one that arrived, as its reader sees it.
type mail struct {
	id, run, job, kind, status string
	device                     int
	end                        time.Time
	objects                    []thing
}

// thing is an object of a mail.
type thing struct{ name, status string }

func readMail(m stored) (r mail) {
	r.id, r.device = m.id, deviceOf(m.id)
	lines := bufio.NewScanner(strings.NewReader(m.text))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case key == "Backup type":
			r.kind = value
		case key == "Job name":
			r.job = value
		case key == "Status":
			r.status = value
		case key == "Run":
			r.run = value
		case key == "End":
			r.end, _ = time.Parse("2006-01-02 15:04:05 -0700", value)
		case strings.HasPrefix(key, "Object "):
			status, name, _ := strings.Cut(value, " - ")
			r.objects = append(r.objects, thing{name, status})
		}
	}
	return r
}

// whole tells whether the mail is about a run that ended.
func (m mail) whole() bool {
	return !strings.HasSuffix(m.run, "-overdue") && !strings.HasSuffix(m.run, "silence")
}

// once: no mail comes twice.
func (w *World) once(mails []mail) {
	times := map[string]int{}
	for _, m := range mails {
		if times[m.id]++; times[m.id] == 2 {
			w.problem("%s came twice", m.id)
		}
	}
}

// sessionsOf: each session that ended is in exactly one mail, with its status,
// and its mail has its device's job and type. What is not asked for, where the
// ledger was put back and the history lists sessions late, is in
// docs/track-record.md ("Known, and not mended").
func (w *World) sessionsOf(device int, mails []mail) {
	got, overdue := map[string][]string{}, map[thing]int{}
	for _, m := range mails {
		if m.device != device {
			continue
		}
		if want := (&script{}).name(device); m.job != want || m.kind != w.Devices[device].Kind.String() {
			w.problem("%s is of job %q, type %q", m.id, m.job, m.kind)
		}
		worst := "Success"
		for _, o := range m.objects {
			if m.whole() {
				got[o.name] = append(got[o.name], o.status)
			} else { // of a run that a session which never ends keeps open
				overdue[o]++
			}
			worst = worseOf(worst, o.status)
		}
		if m.whole() && worst != m.status {
			w.problem("%s is %s, its objects %v", m.id, m.status, m.objects)
		}
	}
	anew := w.composedAnew(device)
	for _, source := range w.Devices[device].sources() {
		want, spare := map[string]int{}, 0
		for _, s := range w.Devices[device].Sessions {
			switch {
			case s.Source != source:
			case s.Status == restarted || s.Status == inProcess:
				spare++ // may be told of, as Warning, where nothing took its place
			default:
				want[wordOf(s.Status)]++
			}
		}
		have := map[string]int{}
		for _, status := range got[names[source]] {
			have[status]++
		}
		for _, status := range []string{"Success", "Failed", "Warning"} {
			if status == "Warning" && have[status]+overdue[thing{names[source], status}] >= want[status] && have[status] <= want[status]+spare {
				continue
			}
			if lack := want[status] - have[status]; lack < -anew || lack > overdue[thing{names[source], status}]+anew {
				w.problem("device %d, %s: %d sessions are told of as %s, want %d", device, names[source], have[status], status, want[status])
			}
		}
	}
}

// composedAnew tells how many runs may have been put together a second time, and
// of other sessions, for the ledger had forgotten the first.
func (w *World) composedAnew(device int) (most int) {
	if !slices.ContainsFunc(w.Changes, func(c Change) bool { return c.Kind == Restored }) {
		return 0
	}
	for _, s := range w.Devices[device].Sessions {
		if s.Delay > 0 || w.during(s.End, NodeAway, device) {
			most++
		}
	}
	return most
}

// String is what the mails call it.
func (k Kind) String() string {
	return [...]string{backup.Server, backup.Workstation, backup.Microsoft365}[k]
}

func wordOf(status int) string {
	switch status {
	case completed:
		return "Success"
	case failed:
		return "Failed"
	}
	return "Warning"
}

func worseOf(a, b string) string {
	order := []string{"Success", "Warning", "Failed"}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// nothingFalse: no device is told of as silent, for none is, and as overdue only
// where a session never ended.
func (w *World) nothingFalse(device int, mails []mail) {
	wedged := slices.ContainsFunc(w.Devices[device].Sessions, func(s Session) bool { return s.Status == inProcess })
	for _, m := range mails {
		if m.device == device && !m.whole() && !(wedged && strings.HasSuffix(m.run, "-overdue")) {
			w.problem("%s is false", m.id)
		}
	}
}

// order: a device's mails arrive in the order of its runs' ends. Where the
// history lists sessions late of which statistics did not tell either, or not
// when they began, or can't be read, a run is known only after one that ended
// later.
func (w *World) order(device int, mails []mail) {
	late := w.has(NodeAway, Vanished, NullRow, PartialRow) || w.Bridges > 1 && w.has(LyingDisk)
	sessions := w.Devices[device].Sessions
	for i, s := range sessions {
		hidden := s.Delay > 0 && (w.has(CoveAway, PageFails) || len(w.Changes) > 0 ||
			i+1 < len(sessions) && sessions[i+1].Source == s.Source && sessions[i+1].Start < s.End+interval)
		late = late || hidden || s.Delay >= time.Hour || s.Late && w.Vague || s.Status == inProcess || s.Status == restarted
	}
	for _, c := range w.Changes {
		late = late || c.Kind == DeviceJumped || c.Kind == Restored
	}
	if late || w.Devices[device].Kind == Tenant || w.Skew.Abs() > time.Minute {
		return
	}
	var last mail
	for _, m := range mails {
		if m.device != device || !m.whole() {
			continue
		}
		if m.end.Before(last.end) {
			w.problem("%s, which ended at %s, came behind %s, which ended at %s", m.id, m.end, last.id, last.end)
		}
		last = m
	}
}

// quietly: a device on which nothing happens any more costs no call.
func (w *World) quietly() {
	for device, n := range w.asked.calls {
		if more := n - w.quiet[device]; more > 1 {
			w.problem("device %d: %d histories were read in the last %v, though nothing happens", device, more, calm/4)
		}
	}
}

// ledgerOf: nothing is given up or left behind, and little is remembered.
func (w *World) ledgerOf(l *ledger.Ledger) error {
	ctx := context.Background()
	all, err := l.Entries(ctx, ledger.Query{})
	if err != nil {
		return err
	}
	times := map[string]int{}
	for _, e := range all {
		fmt.Fprintf(w.log, "run %s is %s: %s\n", e.Run.ID, e.State, e.Reason)
		if e.State != backup.EntrySent || !w.store.has(e.MessageID) {
			w.problem("run %s is %s: %s", e.Run.ID, e.State, e.Reason)
		}
		for _, s := range e.Run.Sessions {
			if e.Run.Kind != backup.Whole || s.ID == "" {
				continue
			}
			if id := fmt.Sprintf("%s %s", e.Run.Device.ID, s.ID); times[id] == 1 {
				w.problem("session %s of device %s is in two runs", s.ID, e.Run.Device.ID)
			} else {
				times[id]++
			}
		}
	}
	for device := range w.Devices {
		record, err := l.Load(ctx, fmt.Sprintf("cove-%d", firstID+device))
		if err != nil {
			return err
		}
		if known, err := json.MarshalIndent(record.Journal, "", " "); err == nil {
			fmt.Fprintf(w.log, "device %d: %s\n", device, known)
		}
		if n, most := len(record.Journal.Running)+len(record.Journal.Pending), 2*len(w.Devices[device].sources()); n > most {
			w.problem("device %d: %d sessions are open", device, n)
		}
	}
	return nil
}
