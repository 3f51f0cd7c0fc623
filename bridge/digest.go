package bridge

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

const (
	digestMost    = 100      // jobs that one digest lists
	digestErrors  = 3        // errors that it shows of each
	digestSilence = 35 * day // how long a device that fell silent stays in the digests
	digestPage    = 500      // entries read at once
)

// digests queues, once in Options.Digest, one mail for each customer with jobs
// that need attention: the newest run of the period did not succeed, or the
// device fell silent.
func (b *Bridge) digests(ctx context.Context, now time.Time) error {
	if b.Digest == 0 || b.Collect.Renderer == nil {
		return nil
	}
	period := periodStart(now, b.Digest, b.Location)
	text, err := b.Ledger.Value(ctx, "digest")
	if err != nil {
		return err
	}
	last, err := time.Parse(time.RFC3339, text)
	if err == nil && !last.Before(period) && !last.After(now.Add(b.Digest)) { // or the clock was put back
		return nil
	}
	if err == nil { // else the first period begins now
		runs, err := b.digestRuns(ctx, period)
		if err != nil {
			return err
		}
		for _, r := range runs {
			if err := b.queueOwnMail(ctx, r); err != nil {
				return err
			}
		}
	}
	return b.Ledger.SetValue(ctx, "digest", period.Format(time.RFC3339))
}

// digest is what is gathered of one customer.
type digest struct {
	device  backup.Device // one of the customer's
	wrong   []backup.Run
	jobs    map[string]bool // that are known already: only their newest runs count
	healthy int
}

// digestRuns makes the customers' digests of the period that ends with turn.
func (b *Bridge) digestRuns(ctx context.Context, periodEnd time.Time) (runs []backup.Run, err error) {
	customers := map[string]*digest{}
	of := func(d backup.Device) *digest {
		key := d.Product + " " + cmp.Or(d.CustomerID, d.Customer)
		if customers[key] == nil {
			customers[key] = &digest{device: d, jobs: map[string]bool{}}
		}
		return customers[key]
	}
	take := func(e backup.Entry) {
		c := of(e.Run.Device)
		if e.State == backup.EntryBaseline || e.Run.Kind == backup.Heartbeat || e.Run.Kind == backup.Digest || c.jobs[e.Run.Job] {
			return
		}
		c.jobs[e.Run.Job] = true
		switch {
		case e.Run.Status == backup.Success:
			c.healthy++
		case e.State != backup.EntryFiltered:
			c.wrong = append(c.wrong, e.Run)
		}
	}
	if err := b.eachEntry(ctx, ledger.Query{Since: periodEnd.Add(-b.Digest), Until: periodEnd}, take); err != nil {
		return nil, err
	}
	for _, kind := range []backup.Kind{backup.LongSilence, backup.Silence} {
		var silent []backup.Entry
		err := b.eachEntry(ctx, ledger.Query{Kind: kind, Since: periodEnd.Add(-digestSilence), Until: periodEnd.Add(-b.Digest)},
			func(e backup.Entry) { silent = append(silent, e) })
		if err != nil {
			return nil, err
		}
		for _, e := range silent {
			since, err := b.Ledger.Entries(ctx, ledger.Query{Device: e.Run.Device.Key(), Kind: backup.Whole, Since: e.Run.End, Limit: 1})
			if err != nil {
				return nil, err
			}
			if len(since) == 0 {
				take(e)
			}
		}
	}
	for _, c := range customers {
		if len(c.wrong) > 0 {
			runs = append(runs, c.run(periodEnd, b.Digest, b.Location))
		}
	}
	slices.SortFunc(runs, func(x, y backup.Run) int { return cmp.Compare(x.ID, y.ID) })
	return runs, nil
}

// eachEntry reads what the query finds, the newest first, a page at a time.
func (b *Bridge) eachEntry(ctx context.Context, q ledger.Query, yield func(backup.Entry)) error {
	for q.Limit = digestPage; ; {
		page, err := b.Ledger.Entries(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range page {
			yield(e)
		}
		if len(page) < q.Limit {
			return nil
		}
		last := page[len(page)-1].Run
		q.Before = ledger.Cursor{End: last.End, ID: last.ID}
	}
}

// run makes a run whose data sources are the customer's jobs that need attention.
func (c *digest) run(periodEnd time.Time, every time.Duration, location *time.Location) backup.Run {
	d := c.device
	name := cmp.Or(d.Customer, "No customer") + " digest"
	own := backup.Device{Product: d.Product, Software: d.Software, ID: "digest-" + cmp.Or(d.CustomerID, d.Customer), Name: name,
		Type: backup.DigestType, Customer: d.Customer, CustomerID: d.CustomerID, CustomerPath: d.CustomerPath, UsedStorage: backup.Unknown}
	r := backup.Run{Kind: backup.Digest, Job: name, Device: own, Start: periodEnd.Add(-every), End: periodEnd, Status: backup.Warning}
	r.ID = backup.Identity(own, nil, periodEnd, backup.Digest)
	slices.SortStableFunc(c.wrong, func(x, y backup.Run) int { return cmp.Or(cmp.Compare(y.Status, x.Status), cmp.Compare(x.Job, y.Job)) })
	for i, w := range c.wrong {
		r.Status = max(r.Status, w.Status)
		if i < digestMost {
			r.Sessions = append(r.Sessions, digestLine(w, location))
		}
	}
	if more := len(c.wrong) - digestMost; more > 0 {
		r.Remarks = append(r.Remarks, fmt.Sprintf("%d more jobs need attention.", more))
	}
	if c.healthy > 0 {
		r.Remarks = append(r.Remarks, fmt.Sprintf("%d jobs ran and need none.", c.healthy))
	}
	return r
}

// digestLine makes a data source of a job's run.
func digestLine(w backup.Run, location *time.Location) backup.Session {
	at := func(t time.Time) string { return t.In(location).Format("2 Jan 2006, 15:04") }
	s := ownSession(w.ID, w.Job)
	s.Status, s.Start, s.End = w.Status, w.Start, w.End
	switch w.Kind {
	case backup.Silence, backup.LongSilence:
		s.Start, s.End = time.Time{}, time.Time{}
		s.Result = "no backup ever finished, as far as known"
		if !w.Start.IsZero() {
			s.Result = "no backup since " + at(w.Start)
		}
		return s
	case backup.Overdue:
		s.End = time.Time{}
		s.Result = "still running after " + w.Limit.String()
	}
	var results []string
	for _, x := range w.Sessions {
		if x.Status == backup.Success && x.Finished() {
			continue
		}
		results = append(results, cmp.Or(x.Source.Name, x.Source.Key)+" "+x.Result)
		for _, e := range x.Errors[:min(len(x.Errors), digestErrors)] {
			e.Text = cmp.Or(x.Source.Name, x.Source.Key) + ": " + e.Text
			s.Errors = append(s.Errors, e)
		}
	}
	if s.Result == "" {
		s.Result = strings.Join(results, "; ")
	}
	if w.InRow > 1 {
		s.Result += fmt.Sprintf("; without success %d times in a row, since %s", w.InRow, at(w.Since))
	}
	return s
}
