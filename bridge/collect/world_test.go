package collect_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/message"
)

var epoch = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// world is a product, a ledger in memory, and a collector between them.
type world struct {
	testing.TB
	*product
	*journals
	*collect.Collector
	clock          time.Time       // our own
	silenceChecked map[string]bool // mails about silence that were found true
	opts           func(*collect.Options)
}

func newProduct(name string) *product {
	return &product{
		name: name, now: epoch, lookBack: 2 * time.Hour, truth: map[string][]backup.Session{}, asked: map[string]int64{}, late: map[string]bool{},
		ranks: map[string][]int64{}, null: map[string]bool{}, names: map[string]string{}, delay: map[string]time.Duration{}, offset: map[string]time.Duration{},
	}
}

func newWorld(t testing.TB, opts func(*collect.Options)) *world {
	w := &world{TB: t, product: newProduct("acme"), journals: newJournals(), clock: epoch, opts: opts}
	w.restart()
	return w
}

// restart makes a new collector on what is stored, as after a crash.
func (w *world) restart() {
	w.Helper()
	r, err := message.New(message.Options{From: "cove@msp.example", To: []string{"backups@msp.example"}})
	if err != nil {
		w.Fatal(err)
	}
	job, err := collect.NewJob("{{.Device.Name}}")
	if err != nil {
		w.Fatal(err)
	}
	o := collect.Options{
		Sources: []collect.Source{w.product}, Journals: w.journals, Renderer: r,
		Rules:    backup.Rules{Window: 10 * time.Minute, MaxWait: 24 * time.Hour},
		Interval: 15 * time.Minute, Sweep: time.Hour, Baseline: 24 * time.Hour, History: true, Concurrency: 2, Job: job,
		Now: func() time.Time { return w.clock },
	}
	if w.opts != nil {
		w.opts(&o)
	}
	w.Collector = collect.New(o)
}

// device adds a device; its sessions are read from lines such as
// "Files 01:00-01:30 Failed", with hours after the epoch.
func (w *world) device(id, lines string) backup.Device {
	w.Helper()
	d := backup.Device{Product: "acme", Software: "Acme Backup", ID: id, Name: "srv" + id, Customer: "Bolt BV", Type: backup.Server, UsedStorage: backup.Unknown, Created: epoch.AddDate(-1, 0, 0)}
	w.devices = append(w.devices, d)
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		start, end, _ := strings.Cut(words[1], "-")
		n := len(w.truth[id])
		s := backup.Session{
			ID: fmt.Sprintf("%s-%d", id, n), Source: backup.DataSource{Key: words[0], Name: words[0]},
			State: backup.Ended, Result: "ended", Start: w.at(start), End: w.at(end), ErrorCount: 0,
		}
		if len(words) > 2 {
			if words[2] == "Restarted" {
				s.State, s.Status = backup.Restarted, backup.Warning
			} else {
				var err error
				if s.Status, err = backup.ParseStatus(words[2]); err != nil {
					w.Fatal(err)
				}
			}
		}
		w.truth[id] = append(w.truth[id], s)
	}
	return d
}

func (w *world) at(clock string) time.Time {
	w.Helper()
	var h, m int
	if _, err := fmt.Sscanf(clock, "%d:%d", &h, &m); err != nil {
		w.Fatal(err)
	}
	return epoch.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
}

// advanceBoth moves both clocks.
func (w *world) advanceBoth(d time.Duration) {
	w.advance(d)
	w.clock = w.clock.Add(d)
}

// poll polls as the daemon does: a sweep where one is due, else for news.
func (w *world) poll() collect.Polled {
	w.Helper()
	p, err := w.Poll(context.Background(), w.product, false, false)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// until lets the daemon poll at its interval up to then.
func (w *world) until(clock string) (p collect.Polled) {
	w.Helper()
	for w.now.Before(w.at(clock)) {
		w.advanceBoth(min(15*time.Minute, w.at(clock).Sub(w.now)))
		p = w.poll()
	}
	return p
}

// jump polls once at that time, and not before.
func (w *world) jump(clock string) collect.Polled {
	w.Helper()
	w.advanceBoth(w.at(clock).Sub(w.now))
	return w.poll()
}

// mails lists the identities of the runs that are to be mailed.
func (w *world) mails() (ids []string) {
	for _, e := range w.queued() {
		ids = append(ids, e.Run.ID)
	}
	return ids
}

// text is the mail of a run as its reader sees it.
func (w *world) text(id string) string {
	w.Helper()
	for _, e := range w.queued() {
		if e.Run.ID == id {
			content, err := message.Read(bytes.NewReader(e.Mail))
			if err != nil {
				w.Fatal(err)
			}
			return content.String()
		}
	}
	w.Errorf("no mail of %s in %q", id, w.mails())
	return ""
}

// summaries lists the mails as "Status job", "overdue" and "silence" where they are that.
func (w *world) summaries() (all []string) {
	for _, e := range w.queued() {
		text := e.Run.Status.String() + " " + e.Run.Job
		if e.Run.Kind != backup.Whole && e.Run.Kind != backup.Recovery { // the job's name tells
			text += " " + string(e.Run.Kind)
		}
		all = append(all, text)
	}
	return all
}

func (w *world) want(told ...string) {
	w.Helper()
	if got := w.summaries(); !slices.Equal(got, told) {
		w.Errorf("mails:\n%s\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(w.mails(), "\n"), strings.Join(told, "\n"))
	}
}

// compare checks that each session that ended is in exactly one run that is mailed.
func (w *world) compare(since time.Time) {
	w.Helper()
	in := map[string]int{}
	for _, e := range w.queued() {
		if e.Run.Kind != backup.Whole {
			continue
		}
		for _, s := range e.Run.Sessions {
			in[s.Source.Key+e.Run.Device.ID+s.Start.String()]++
			in[s.ID]++
		}
	}
	for id, sessions := range w.truth {
		for _, s := range sessions {
			if s.End.After(since) && s.State != backup.Restarted && in[s.ID] != 1 {
				w.Errorf("session %s of device %s, %s to %s, is in %d mails", s.ID, id, s.Start.Format("02 15:04"), s.End.Format("02 15:04"), in[s.ID])
			}
		}
	}
}
