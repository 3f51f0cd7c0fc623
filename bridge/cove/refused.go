package cove

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"

	"covebridge/bridge/backup"
)

// errFilter says that Cove takes the filter for an error, but not the call
// without it.
var errFilter = errors.New("the filter is not one that Cove takes")

// columnSet knows which columns to ask for. One column that this user may not
// see answers 13501 and spoils the whole call. (Other clients say that unknown
// columns are silently left out: then there is nothing to find.)
type columnSet struct {
	searching *semaphore.Weighted // one search at a time

	mu      sync.Mutex
	refused map[string]bool
	sources []source // beyond the table's, found in I78
}

// wanted gives all columns to ask for.
func (s *columnSet) wanted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(deviceColumns)
	for _, src := range slices.Concat(slices.Sorted(maps.Keys(sourceNames)), s.sources) {
		if src == total {
			continue
		}
		for _, f := range askedFields {
			all = append(all, column(src, f))
		}
	}
	return slices.DeleteFunc(all, func(name string) bool { return s.refused[name] })
}

// discover adds the data sources that no table has. It tells whether there were
// new ones.
func (s *columnSet) discover(found sourceSet) (added bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for src := range found.all() {
		if sourceNames[src] == "" && !slices.Contains(s.sources, src) {
			s.sources, added = append(s.sources, src), true
		}
	}
	return added
}

// diagnose finds out what of a call made it fail with cause: the filter, or some
// columns, by halving. It gives nil when the call is worth another try without
// what it found, errFilter when only the filter is to blame, or else the cause.
func (c *Client) diagnose(ctx context.Context, q pageQuery, cause error) error {
	if err := c.columns.searching.Acquire(ctx, 1); err != nil {
		return err
	}
	defer c.columns.searching.Release(1)
	var one page
	try := func(columns []string) error {
		return c.statistics(ctx, pageQuery{columns: columns, count: 1}, &one)
	}
	// Another call may have found it meanwhile.
	columns := c.columns.allowed(q.columns)
	if len(columns) < len(q.columns) {
		return nil
	}
	if q.filter != "" && q.start == 0 { // what failed on a later page is not the filter's fault
		err := try(columns)
		if err == nil {
			c.noticeOnce("filter", "Cove does not take the filter; every device is read instead", "err", cause)
			return errFilter
		}
		cause = err
	}
	if !hasErrorNumber(cause, errSecurity) {
		return cause
	}
	if err := try([]string{colID}); err != nil {
		if hasErrorNumber(err, errSecurity) {
			return &backup.Advice{Err: fmt.Errorf("%w: this user may not read the devices of the customer", err), Remedy: "check partner_id and the user's role in Cove"}
		}
		return err
	}
	refused, err := bisect(columns, try)
	if err != nil {
		return err
	}
	c.columns.refuse(refused)
	if len(refused) > 0 {
		c.noticeOnce("columns "+fmt.Sprint(refused), "this user may not see some columns; they are left out", "columns", refused)
	}
	return nil
}

// refuse remembers columns that this user may not see.
func (s *columnSet) refuse(columns []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused == nil {
		s.refused = map[string]bool{}
	}
	for _, name := range columns {
		s.refused[name] = true
	}
}

// allowed gives the columns without the refused ones.
func (s *columnSet) allowed(columns []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(columns), func(name string) bool { return s.refused[name] })
}

// bisect finds the columns that try refuses with 13501, given that it refuses
// them together. Any other error ends the search.
func bisect(columns []string, try func([]string) error) (refused []string, err error) {
	if len(columns) <= 1 {
		return columns, nil
	}
	middle := len(columns) / 2
	for _, half := range [][]string{columns[:middle], columns[middle:]} {
		err := try(half)
		if hasErrorNumber(err, errSecurity) {
			var found []string
			found, err = bisect(half, try)
			refused = append(refused, found...)
		}
		if err != nil {
			return nil, err
		}
	}
	return refused, nil
}
