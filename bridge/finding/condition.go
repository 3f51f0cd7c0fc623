package finding

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	remindAfter = time.Hour        // between two lines about what goes on failing
	quietPeriod = 10 * time.Minute // between two beginnings of what comes and goes
)

// Condition is one thing that can go wrong and go well again. It is told to the
// log when it begins, once an hour while it lasts, and when it ends, however
// often it fails; what comes and goes is told of once in ten minutes.
type Condition struct {
	changed func()
	log     *slog.Logger
	kind    Kind
	subject string

	mu     sync.Mutex
	now    Finding
	raised bool       // it is wrong at present
	logged bool       // the log knows that
	last   time.Time  // when the log was told anything last
	count  func() int // how many it is about; nil: it is about one thing
}

// Counts makes the condition one about many things: count tells how many, where
// there are none there is no finding, and the number is put before what is
// wrong.
func (c *Condition) Counts(count func() int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count = count
}

// Raise says that it went wrong, why, and what helps against it, if that is known.
func (c *Condition) Raise(why, remedy string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.raised {
		defer c.changed()
		c.raised, c.logged = true, false
		c.now = Finding{Name: c.kind.Name, Subject: c.subject, Severity: c.kind.Severity, Since: now, What: c.kind.What}
	}
	why = strings.ReplaceAll(why, "\n", "; ") // several errors at once
	c.now.Times++
	c.now.Why, c.now.Remedy = why, remedy
	quiet := quietPeriod
	if c.logged {
		quiet = remindAfter
	}
	if !c.last.IsZero() && now.Sub(c.last) < quiet {
		return
	}
	report := c.log.Warn
	args := []any{"why", why}
	if remedy != "" {
		args = append(args, "remedy", remedy)
	}
	if c.now.Times > 1 {
		report = c.log.Error
		args = append(args, "times", c.now.Times, "since", c.now.Since)
	}
	report(c.kind.What, args...)
	c.last, c.logged = now, true
}

// Clear says that it went well.
func (c *Condition) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.raised {
		return
	}
	defer c.changed()
	c.raised = false
	if !c.logged {
		return
	}
	now := time.Now()
	c.log.Info("over: "+c.kind.What, "lasted", now.Sub(c.now.Since).Round(time.Second), "times", c.now.Times)
	c.last = now
}

// Finding gives what is wrong; raised is false where nothing is.
func (c *Condition) Finding() (f Finding, raised bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, raised = c.now, c.raised
	if raised && c.count != nil {
		n := c.count()
		f.What, raised = fmt.Sprintf("%d %s", n, f.What), n > 0
	}
	return f, raised
}
