package cove

import (
	"context"
	"errors"
	"fmt"
	"time"

	"covebridge/bridge/backup"
)

// failingPages is how many pages in a row may fail before the others are not
// asked for any more.
const failingPages = 3

// errRepeatedPage says that a whole page held nothing new, so that the list has no
// end and can't be known to be complete.
var errRepeatedPage = errors.New("the rows of this page were given already: pages can't be told apart, and the list may not be complete")

// Devices streams the present of the devices selected, page by page, and holds
// one page at most. The row that yield is given is good until it returns; an
// error of yield's ends Devices and is given back as it is.
//
// A device may be given that was not asked for, but none twice. That one is
// missing does not mean that it was deleted: devices come and go between pages.
// A page that can't be read makes an error, but the pages after it are given
// all the same, until three fail in a row. Where Cove does not take the filter
// that a selection makes, all devices are given.
//
// errors.Is ErrRefused tells of a refused login.
func (c *Client) Devices(ctx context.Context, sel backup.Selection, yield func(backup.Row) error) error {
	tree := c.tree(ctx)
	l := listing{c: c, yield: yield, reportTotal: sel.OnTotal, seen: map[int64]struct{}{}}
	l.row = pageRow{c: c, p: &l.page, tree: tree}
	err := l.pages(ctx, filter(sel))
	if errors.Is(err, errFilter) {
		err = l.pages(ctx, "")
	}
	return err
}

// filter writes a selection in Cove's language.
func filter(sel backup.Selection) string {
	if sel.Since <= 0 {
		return ""
	}
	hours := int64((sel.Since-1)/time.Hour) + 1
	return fmt.Sprintf("TS > %d.hour().ago()", hours)
}

// listing is one reading of the devices.
type listing struct {
	c           *Client
	yield       func(backup.Row) error
	reportTotal func(int64) // may be nil
	seen        map[int64]struct{}
	page        page
	row         pageRow
}

// pages reads all pages of a filter, until a short one.
func (l *listing) pages(ctx context.Context, filter string) error {
	var failed pageFailures
	for start := int64(0); ; {
		q := pageQuery{filter: filter, start: start, count: l.c.PageSize}
		if err := l.c.page(ctx, q, &l.page); err != nil {
			switch {
			case errors.Is(err, errFilter):
				return err
			case ctx.Err() != nil || !onlyThisPage(err):
				return fmt.Errorf("devices from number %d on: %w", start, l.c.advise(err))
			}
			if failed.add(start, l.c.advise(err)); failed.consecutive == failingPages {
				return failed.err()
			}
			start += int64(q.count)
			continue
		}
		failed.consecutive = 0
		if l.reportTotal != nil {
			l.reportTotal(max(l.page.total, start+int64(len(l.page.rows))))
		}
		anyNew, err := l.yieldPage()
		if err != nil {
			return err
		}
		if l.page.last(start, q.count) {
			return failed.err()
		}
		if !anyNew {
			failed.add(start, errRepeatedPage)
			return failed.err()
		}
		start += int64(len(l.page.rows))
	}
}

// yieldPage yields the devices of the page that were not given yet.
func (l *listing) yieldPage() (anyNew bool, err error) {
	for _, s := range l.page.rows {
		if s.id == 0 {
			l.c.noticeOnce("no id", "a device without an id was left out")
			continue
		}
		if _, again := l.seen[s.id]; again {
			continue
		}
		l.seen[s.id], anyNew = struct{}{}, true
		l.c.deviceSources.store(s.id, s.sources)
		l.row.show(s)
		if err := l.yield(&l.row); err != nil {
			return anyNew, err
		}
	}
	return anyNew, nil
}

// onlyThisPage tells whether another page may be read where this one could not.
func onlyThisPage(err error) bool {
	var answered *Error
	if errors.Is(err, backup.ErrRefused) || hasErrorNumber(err, errSecurity) || isVisaExpired(err) {
		return false
	}
	return !errors.As(err, &answered) || answered.Method == methodStatistics
}

// pageFailures are the pages of a listing that could not be read.
type pageFailures struct {
	first       error
	start       int64
	count       int
	consecutive int // one behind the other, until now
}

func (f *pageFailures) add(start int64, err error) {
	if f.first == nil {
		f.first, f.start = err, start
	}
	f.count++
	f.consecutive++
}

func (f *pageFailures) err() error {
	switch {
	case f.first == nil:
		return nil
	case f.count > 1:
		return fmt.Errorf("devices from number %d on, and %d other pages: %w", f.start, f.count-1, f.first)
	}
	return fmt.Errorf("devices from number %d on: %w", f.start, f.first)
}
