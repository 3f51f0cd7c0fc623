package deliver

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Finding is something that an operator should know.
type Finding struct {
	Since  time.Time
	What   string // what is wrong: "the mailbox can't be reached"
	Why    string // the cause, as it was told last
	Remedy string // what the operator can do; may be empty
}

const (
	lasting = time.Hour        // between two lines about what goes on failing
	calm    = 10 * time.Minute // between two beginnings of what comes and goes
)

// Trouble is one thing that can go wrong and go well again. It is told to the
// log when it begins, once an hour while it lasts, and when it ends, however
// often it fails; what comes and goes is told of once in ten minutes.
type Trouble struct {
	log  *slog.Logger
	what string

	mu    sync.Mutex
	now   Finding
	on    bool      // it is wrong at present
	known bool      // the log knows that
	times int       // failures since it began
	told  time.Time // when the log was told anything last
}

// NewTrouble makes a Trouble; what is what a log line begins with.
func NewTrouble(log *slog.Logger, what string) *Trouble {
	return &Trouble{log: log, what: what}
}

// Failed says that it went wrong, why, and what helps against it, if that is known.
func (t *Trouble) Failed(why, remedy string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if !t.on {
		t.on, t.known, t.times = true, false, 0
		t.now = Finding{Since: now, What: t.what}
	}
	t.times++
	t.now.Why, t.now.Remedy = why, remedy
	quiet := calm
	if t.known {
		quiet = lasting
	}
	if !t.told.IsZero() && now.Sub(t.told) < quiet {
		return
	}
	report := t.log.Warn
	args := []any{"why", why}
	if remedy != "" {
		args = append(args, "remedy", remedy)
	}
	if t.times > 1 {
		report = t.log.Error
		args = append(args, "times", t.times, "since", t.now.Since)
	}
	report(t.what, args...)
	t.told, t.known = now, true
}

// Passed says that it went well.
func (t *Trouble) Passed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.on {
		return
	}
	t.on = false
	if !t.known {
		return
	}
	now := time.Now()
	t.log.Info("over: "+t.what, "lasted", now.Sub(t.now.Since).Round(time.Second), "times", t.times)
	t.told = now
}

// Finding gives what is wrong; ok is false where nothing is.
func (t *Trouble) Finding() (f Finding, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now, t.on
}

// Findings tells what is wrong at present: the mailbox, mails that are refused
// or were given up, the ledger.
func (d *Deliverer) Findings() []Finding {
	var all []Finding
	refused, given := d.suspects.count()
	add := func(t *Trouble, mails int, say string) {
		if f, ok := t.Finding(); ok {
			if say != "" {
				f.What = fmt.Sprintf(say, mails)
			}
			all = append(all, f)
		}
	}
	add(d.health.unreachable, 0, "")
	add(d.health.refusing, 0, "")
	if refused > 0 {
		add(d.stuck, refused, "%d mails are refused while others pass")
	}
	if given > 0 {
		add(d.failed, given, "%d mails were given up")
	}
	add(d.ledger, 0, "")
	return all
}
