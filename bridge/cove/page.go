package cove

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"covebridge/bridge/backup"
)

// pageQuery is one call of EnumerateAccountStatistics.
type pageQuery struct {
	columns []string // nil: all that are read
	filter  string
	start   int64
	count   int
}

// page is what it answers. Its memory serves for one page after the other.
type page struct {
	text  []byte // the rows, one behind the other
	rows  []scanned
	total int64 // totalRecordsCount; 0 where it is not told
	more  bool  // there were more rows than were asked for; they were not read
	at    time.Time

	sources sourceSet // all that I78 and F00 tell of
	scan    rowScan
}

// scanned is what is known of a row before it is taken apart.
type scanned struct {
	id          int64
	fingerprint uint64
	sources     sourceSet
	from, to    int // where it stands
}

// read reads a result, row by row, and at most so many rows.
func (p *page) read(dec *decoder, most int) error {
	p.text, p.rows, p.total, p.more, p.sources = p.text[:0], p.rows[:0], 0, false, sourceSet{}
	err := dec.rows(most, func(raw jsontext.Value) error {
		from := len(p.text)
		p.text = append(p.text, raw...)
		p.scan.scan(raw)
		p.rows = append(p.rows, scanned{p.scan.id, p.scan.fingerprint(), p.scan.sources, from, len(p.text)})
		p.sources.bits[0] |= p.scan.sources.bits[0]
		p.sources.bits[1] |= p.scan.sources.bits[1]
		return nil
	}, func(key string, v value) {
		if key == "totalRecordsCount" {
			p.total, _ = v.number()
		}
	})
	p.more = errors.Is(err, errMoreRows)
	return err
}

// last tells whether a page of so many rows from start on is the last one.
func (p *page) last(start int64, asked int) bool {
	return len(p.rows) == 0 || len(p.rows) < asked && start+int64(len(p.rows)) >= p.total
}

// page reads one page, without the columns that this user may not see. A data
// source that no table has is found in I78, and its columns are asked for from
// then on.
func (c *Client) page(ctx context.Context, q pageQuery, p *page) error {
	asked := q
	// Refused columns are looked for twice at most: the first search may have
	// met a Cove that was of two minds.
	for round := 0; ; round++ {
		if q.columns == nil {
			asked.columns = c.columns.wanted()
		}
		err := c.statistics(ctx, asked, p)
		var answered *Error
		switch {
		case err == nil && q.columns == nil && round < 2 && c.columns.discover(p.sources):
			continue
		case err == nil, round >= 2, !errors.As(err, &answered), answered.Method != methodStatistics, isVisaExpired(err):
			return err
		}
		if err := c.diagnose(ctx, asked, err); err != nil {
			return err
		}
	}
}

const methodStatistics = "EnumerateAccountStatistics"

// statistics makes the call as it is asked for.
func (c *Client) statistics(ctx context.Context, q pageQuery, p *page) error {
	partner, err := c.partner(ctx)
	if err != nil {
		return err
	}
	query := map[string]any{
		"PartnerId": partner, "StartRecordNumber": q.start, "RecordsCount": q.count,
		"Columns": q.columns, "OrderBy": "I0 ASC", "SelectionMode": "Merged",
	}
	if q.filter != "" {
		query["Filter"] = q.filter
	}
	r := request{url: c.URL, method: methodStatistics, params: map[string]any{"query": query}, rows: q.count}
	answer, err := c.call(ctx, r, func(dec *decoder) error { return p.read(dec, q.count) })
	p.at = answer.serverTime
	return err
}

// pageRow is a row of a page, as backup.Row.
type pageRow struct {
	c    *Client
	p    *page
	tree *tree
	scanned
	key []byte
}

// Key is the device's Device.Key, good until the next row.
func (r *pageRow) Key() []byte { return r.key }

// Fingerprint is the same for the same columns on every machine, in any
// process; 0: the row tells of no column.
func (r *pageRow) Fingerprint() uint64 { return r.fingerprint }

// Snapshot takes the row apart.
func (r *pageRow) Snapshot() backup.Snapshot {
	return r.c.snapshot(parseRow(r.p.text[r.from:r.to]), r.p.at, r.tree)
}

// show makes the row the one that was scanned.
func (r *pageRow) show(s scanned) {
	r.scanned = s
	r.key = strconv.AppendInt(append(r.key[:0], Product+"-"...), s.id, 10)
}
