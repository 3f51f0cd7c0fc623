package cove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"covebridge/bridge/backup"
)

// maxIDs is how many devices one filter names.
const maxIDs = 500

// Devices streams the present of the devices selected, page by page, and holds
// one page at most. A device may be given that was not asked for, but none
// twice. That one is missing does not mean that it was deleted: devices come
// and go between pages.
func (c *Client) Devices(ctx context.Context, sel backup.Selection, yield func(backup.Snapshot) error) error {
	tree := c.tree(ctx)
	seen := map[string]bool{}
	for _, filter := range filters(sel) {
		err := c.pages(ctx, filter, sel.From, sel.Count, seen, tree, yield)
		if errors.Is(err, errFilter) {
			// What was given already stays given; seen knows it.
			return c.pages(ctx, "", sel.From, sel.Count, seen, tree, yield)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// filters writes a selection in Cove's language, as one filter or several.
func filters(sel backup.Selection) (all []string) {
	if sel.Since <= 0 {
		return []string{""}
	}
	hours := int64((sel.Since + time.Hour - 1) / time.Hour)
	filter := fmt.Sprintf("TS > %d.hour().ago()", hours)
	var ids []string
	for _, id := range sel.IDs {
		if _, err := strconv.ParseInt(id, 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	for {
		n := min(len(ids), maxIDs)
		if n > 0 {
			in := "AU in (" + strings.Join(ids[:n], ",") + ")"
			if filter != "" {
				in = filter + " OR " + in
			}
			filter = in
		}
		all = append(all, filter)
		if ids = ids[n:]; len(ids) == 0 {
			return all
		}
		filter = ""
	}
}

// pages reads all pages of one filter, until a short one, or, where count is
// not 0, so many devices from number from on.
func (c *Client) pages(ctx context.Context, filter string, from, count int64, seen map[string]bool, tree *tree, yield func(backup.Snapshot) error) error {
	for start := from; count == 0 || start < from+count; {
		size := int64(c.PageSize)
		if count > 0 {
			size = min(size, from+count-start)
		}
		p, err := c.page(ctx, pageQuery{filter: filter, start: start, count: int(size)})
		if err != nil {
			return fmt.Errorf("devices from number %d on: %w", start, c.advise(err))
		}
		news := false
		for _, r := range p.rows {
			if r.id == "" {
				c.once("no id", "a device without an id was left out")
				continue
			}
			if seen[r.id] {
				continue
			}
			seen[r.id], news = true, true
			if err := yield(c.snapshot(r, p.at, tree)); err != nil {
				return err
			}
		}
		start += int64(len(p.rows))
		short := int64(len(p.rows)) < size && start >= p.total
		// A server that always gives the first page would never come to an end.
		if short || len(p.rows) == 0 || !news {
			return nil
		}
	}
	return nil
}

// pageQuery is one call of EnumerateAccountStatistics.
type pageQuery struct {
	columns []string // nil: all that are read
	filter  string
	start   int64
	count   int
}

// page is what it answers.
type page struct {
	rows  []deviceRow
	total int64 // totalRecordsCount; 0 where it is not told
	at    time.Time
}

// page reads one page, without the columns that this user may not see. A data
// source that no table has is found in I78, and its columns are asked for from
// then on.
func (c *Client) page(ctx context.Context, q pageQuery) (page, error) {
	asked := q
	if asked.filter != "" && c.columns.filterRefused(c.Now()) {
		return page{}, errFilter
	}
	// Refused columns are looked for twice at most: the first search may have
	// met a Cove that was of two minds.
	for round := 0; ; round++ {
		if q.columns == nil {
			asked.columns = c.columns.wanted()
		}
		p, err := c.statistics(ctx, asked)
		var answered *Error
		switch {
		case err == nil && q.columns == nil && c.columns.discover(p.rows) && round < 2:
			continue
		case err == nil, round >= 2, !errors.As(err, &answered), deadVisa(err), number(err, errLogins):
			return p, err
		}
		if err := c.search(ctx, asked, err); err != nil {
			return page{}, err
		}
	}
}

// statistics makes the call as it is asked for.
func (c *Client) statistics(ctx context.Context, q pageQuery) (page, error) {
	partner, err := c.partner(ctx)
	if err != nil {
		return page{}, err
	}
	query := map[string]any{
		"PartnerId": partner, "StartRecordNumber": q.start, "RecordsCount": q.count,
		"Columns": q.columns, "OrderBy": "I0 ASC", "SelectionMode": "Merged",
	}
	if q.filter != "" {
		query["Filter"] = q.filter
	}
	var p page
	r := request{url: c.URL, method: "EnumerateAccountStatistics", params: map[string]any{"query": query}}
	answer, err := c.call(ctx, r, func(dec *json.Decoder) error {
		p = page{}
		return p.read(dec)
	})
	p.at = answer.at
	return p, err
}

// read reads a result, row by row.
func (p *page) read(dec *json.Decoder) error {
	return readRows(dec, func() error {
		var r deviceRow
		err := dec.Decode(&r)
		p.rows = append(p.rows, r)
		return err
	}, func(key string, v value) {
		if key == "totalRecordsCount" {
			p.total, _ = v.number()
		}
	})
}
