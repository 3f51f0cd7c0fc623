package cove

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"covebridge/bridge/backup"
)

const (
	openGroups     = 20 // of grouped rows of one session, those that are opened
	errorPages     = 10 // of one session's rows at a node
	m365ErrorPages = 25 // of the rows of one data source's sessions
)

var (
	errNoID    = errors.New("statistics tell of no error texts, and only they told of the session")
	errTooMany = errors.New("there are too many errors since then to read them all")
)

// Errors reads the error texts of sessions of one device into their Errors,
// newest first: at most 200 of each; the others are counted in those with the
// same text, or in a last one. Where they can't be read, ErrorsMissing says why
// in one line; sessions that only statistics told of have no ID to ask with.
//
// A server's sessions are asked for one by one, a Microsoft 365 tenant's by one
// call for each data source. An error is a refused login, errors.Is ErrRefused,
// or a context that ended; then some sessions may be filled and others not.
func (c *Client) Errors(ctx context.Context, d backup.Device, sessions []backup.Session) error {
	var asked []*backup.Session
	for i := range sessions {
		s := &sessions[i]
		s.Errors, s.ErrorsMissing = nil, ""
		if _, err := sessionNumber(*s); err != nil {
			s.ErrorsMissing = c.quote(err.Error())
			continue
		}
		asked = append(asked, s)
	}
	if d.Type == backup.Microsoft365 {
		return c.errorsByType(ctx, d, asked)
	}
	return c.errorsOneByOne(ctx, d, asked)
}

func sessionNumber(s backup.Session) (int64, error) {
	id, err := strconv.ParseInt(s.ID, 10, 64)
	if err != nil {
		return 0, errNoID
	}
	return id, nil
}

// errorsOneByOne asks the device's node. A node that does not answer is not
// asked again for each session.
func (c *Client) errorsOneByOne(ctx context.Context, d backup.Device, sessions []*backup.Session) error {
	var silent error
	for _, s := range sessions {
		err := silent
		if err == nil {
			s.Errors, err = c.nodeErrors(ctx, d, *s)
		}
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, backup.ErrRefused) {
				return fmt.Errorf("errors of session %s of %s: %w", s.ID, c.label(d), err)
			}
			s.ErrorsMissing = c.quote(err.Error())
			if answered := (*Error)(nil); !errors.As(err, &answered) {
				silent = err
			}
		}
	}
	return nil
}

// nodeErrors reads a session's rows from the device's node.
func (c *Client) nodeErrors(ctx context.Context, d backup.Device, s backup.Session) (errs []backup.Error, err error) {
	id, err := sessionNumber(s)
	if err != nil {
		return nil, err
	}
	err = c.withAccount(ctx, d, func(a account) (err error) {
		errs, err = c.readNodeErrors(ctx, a, id)
		return err
	})
	return errs, err
}

// readNodeErrors opens the rows that stand for several files.
func (c *Client) readNodeErrors(ctx context.Context, a account, id int64) ([]backup.Error, error) {
	var list errorList
	groups := 0
	for page := range errorPages {
		var rows []row
		_, err := c.atNode(ctx, a, "QueryErrors", map[string]any{
			"sessionId": id, "query": fmt.Sprintf("SessionId == %d", id), "orderBy": "Time DESC", "groupId": 0,
			"range": span{page * nodeRange, nodeRange},
		}, nodeRange, decodeRows(&rows, nodeRange, nil))
		if err != nil {
			return nil, err
		}
		news := false
		for _, r := range rows {
			if of, ok := r.get("sessionid").number(); ok && of != id || !list.first(r.get("id").text) {
				continue
			}
			news = true
			group, isGroup := r.get("id").number()
			e := nodeError(r)
			if isGroup && e.Count > 1 && groups < openGroups && !list.full() {
				groups++
				list.addGroup(e, c.groupDetails(ctx, a, id, group))
				continue
			}
			list.add(e)
		}
		if len(rows) < nodeRange || !news {
			break
		}
	}
	return list.all(), ctx.Err()
}

// groupDetails lists the files of a grouped row. Where it can't, the row itself
// says enough.
func (c *Client) groupDetails(ctx context.Context, a account, id, group int64) (errs []backup.Error) {
	var rows []row
	_, err := c.atNode(ctx, a, "EnumerateSessionErrorsGroupDetails", map[string]any{
		"sessionId": id, "groupId": group, "range": span{0, nodeRange},
	}, nodeRange, decodeRows(&rows, nodeRange, nil))
	if err != nil {
		return nil
	}
	for _, r := range rows {
		errs = append(errs, nodeError(r))
	}
	return errs
}

// errorsByType asks the reporting service once for each data source's sessions.
func (c *Client) errorsByType(ctx context.Context, d backup.Device, sessions []*backup.Session) error {
	var types []string
	byType := map[string][]*backup.Session{}
	for _, s := range sessions {
		name := m365Type(s.Source)
		if byType[name] == nil {
			types = append(types, name)
		}
		byType[name] = append(byType[name], s)
	}
	for _, name := range types {
		err := c.withAccount(ctx, d, func(a account) error { return c.readM365Errors(ctx, a, name, byType[name]) })
		if err == nil {
			continue
		}
		if ctx.Err() != nil || errors.Is(err, backup.ErrRefused) {
			return fmt.Errorf("errors of %s of %s: %w", truncate(name, 100), c.label(d), err)
		}
		for _, s := range byType[name] {
			s.Errors, s.ErrorsMissing = nil, c.quote(err.Error())
		}
	}
	return nil
}

// readM365Errors reads all rows of a data source since the earliest of the
// sessions began, and deals them out.
func (c *Client) readM365Errors(ctx context.Context, a account, dataSource string, sessions []*backup.Session) error {
	lists := map[int64]*errorList{}
	from := time.Time{}
	for _, s := range sessions {
		id, err := sessionNumber(*s)
		if err != nil {
			return err
		}
		lists[id] = &errorList{}
		if from.IsZero() || s.Start.Before(from) {
			from = s.Start
		}
	}
	filter := map[string]any{"SessionType": "Backup", "TimestampFrom": max(from.Unix(), 0)}
	seen := errorList{} // of all sessions, others than those asked for as well
	complete := false
	for page := 0; page < m365ErrorPages && !complete; page++ {
		var rows []row
		_, err := c.atReporting(ctx, a, "EnumerateSessionErrors", map[string]any{
			"dataSourceType": dataSource, "filter": filter, "range": span{page * m365Range, m365Range},
		}, decodeRows(&rows, m365Range, nil))
		if err != nil {
			return err
		}
		news := false
		for _, r := range rows {
			if !seen.first(r.get("id").text) {
				continue
			}
			news = true
			id, ok := r.get("sessionid").number()
			if list := lists[id]; ok && list != nil {
				list.add(m365Error(r))
			}
		}
		complete = len(rows) < m365Range || !news
	}
	for _, s := range sessions {
		id, err := sessionNumber(*s)
		if err != nil {
			return err
		}
		if s.Errors = lists[id].all(); len(s.Errors) == 0 && !complete {
			s.ErrorsMissing = errTooMany.Error()
		}
	}
	return nil
}
