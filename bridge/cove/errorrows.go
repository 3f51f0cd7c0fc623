package cove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"covebridge/bridge/backup"
)

const (
	keptErrors   = 200     // of one session; the others are counted
	openGroups   = 20      // of grouped rows, those that are opened
	errorPages   = 10      // of one session's rows
	maxErrorText = 8 << 10 // bytes of one text
)

// Errors reads the error texts of one session, newest first: at most 200; the
// others are counted in those with the same text, or in a last one. It needs
// the session's ID, which statistics don't tell. Every error but a refused
// login and a context that ended wraps backup.ErrNoHistory.
func (c *Client) Errors(ctx context.Context, d backup.Device, s backup.Session) ([]backup.Error, error) {
	errs, err := c.errors(ctx, d, s)
	if err != nil {
		return nil, noHistory(ctx, fmt.Errorf("errors of session %s of %s: %w", cut(s.ID, 50), c.quote(d.Name), err))
	}
	return errs, nil
}

func (c *Client) errors(ctx context.Context, d backup.Device, s backup.Session) (errs []backup.Error, err error) {
	id, err := strconv.ParseInt(s.ID, 10, 64)
	if err != nil {
		return nil, errors.New("statistics tell of no error texts, and only they told of the session")
	}
	err = c.withAccount(ctx, d, func(a account) (err error) {
		if d.Type == backup.Microsoft365 {
			errs, err = c.m365Errors(ctx, a, id, m365Type(s.Source))
		} else {
			errs, err = c.nodeErrors(ctx, a, id)
		}
		return err
	})
	return errs, err
}

// nodeErrors reads rows from the device's node; rows that stand for several
// files are opened.
func (c *Client) nodeErrors(ctx context.Context, a account, id int64) ([]backup.Error, error) {
	var list errorList
	groups := 0
	for page := range errorPages {
		var rows []row
		_, err := c.atNode(ctx, a, "QueryErrors", map[string]any{
			"sessionId": id, "query": fmt.Sprintf("SessionId == %d", id), "orderBy": "Time DESC", "groupId": 0,
			"range": span{page * nodeRange, nodeRange},
		}, decodeRows(&rows))
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
	}, decodeRows(&rows))
	if err != nil {
		return nil
	}
	for _, r := range rows {
		errs = append(errs, nodeError(r))
	}
	return errs
}

func nodeError(r row) backup.Error {
	return backup.Error{
		Time: r.get("time", "timestamp").time(),
		File: cut(r.get("filename", "path", "file").text, maxErrorText),
		Text: cut(r.get("text", "errortext", "description", "message").text, maxErrorText),
		Code: cut(r.get("code", "errorcode").text, 100), Count: max(r.get("count").count(), 1),
	}
}

// m365Errors reads rows from the reporting service, which needs the data
// source's type.
func (c *Client) m365Errors(ctx context.Context, a account, id int64, dataSource string) ([]backup.Error, error) {
	var list errorList
	for page := range errorPages {
		var rows []row
		_, err := c.atReporting(ctx, a, "EnumerateSessionErrors", map[string]any{
			"dataSourceType": dataSource, "filter": map[string]any{"SessionId": id, "SessionType": "Backup"},
			"range": span{page * m365Range, m365Range},
		}, decodeRows(&rows))
		if err != nil {
			return nil, err
		}
		news := false
		for _, r := range rows {
			if of, ok := r.get("sessionid").number(); ok && of != id || !list.first(r.get("id").text) {
				continue
			}
			news = true
			list.add(m365Error(r))
		}
		if len(rows) < m365Range || !news {
			break
		}
	}
	return list.all(), nil
}

// m365Error reads a row whose description is JSON written as text, or plain text.
func m365Error(r row) backup.Error {
	e := nodeError(r)
	item := r.get("item").text
	var inner row
	if text := strings.TrimSpace(r.get("description").text); strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &inner) == nil {
		if what := inner.get("description", "message", "text").text; what != "" {
			e.Text = cut(what, maxErrorText)
			item = strings.TrimSpace(inner.get("entity").text + " " + inner.get("path").text)
			if item == "" {
				item = r.get("item").text
			}
		}
	}
	if item != "" {
		e.File = cut(item, maxErrorText)
	}
	return e
}

// errorList collects errors within bounds.
type errorList struct {
	errs []backup.Error
	more int64 // that are counted only
	seen map[string]bool
}

func (l *errorList) full() bool { return len(l.errs) >= keptErrors }

// first tells whether a row with this id is met for the first time; rows move
// between pages.
func (l *errorList) first(id string) bool {
	if id == "" {
		return true
	}
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	defer func() { l.seen[id] = true }()
	return !l.seen[id]
}

func (l *errorList) add(e backup.Error) {
	if !l.full() {
		l.errs = append(l.errs, e)
		return
	}
	if i := slices.IndexFunc(l.errs, func(o backup.Error) bool { return o.Text == e.Text && o.Code == e.Code }); i >= 0 {
		l.errs[i].Count = sum(l.errs[i].Count, e.Count)
		return
	}
	l.more = sum(l.more, e.Count)
}

// addGroup adds the files of a grouped row, and the row for those not listed.
func (l *errorList) addGroup(group backup.Error, files []backup.Error) {
	for _, f := range files {
		if group.Count <= 0 {
			break
		}
		if f.Text == "" {
			f.Text = group.Text
		}
		if f.Code == "" {
			f.Code = group.Code
		}
		if f.Time.IsZero() {
			f.Time = group.Time
		}
		f.Count = min(f.Count, group.Count)
		group.Count -= f.Count
		l.add(f)
	}
	if group.Count > 0 {
		if len(files) > 0 {
			group.File = "" // one of those listed
		}
		l.add(group)
	}
}

func (l *errorList) all() []backup.Error {
	if l.more > 0 {
		return append(l.errs, backup.Error{Text: "Further errors that are not listed here", Count: l.more})
	}
	return l.errs
}

// sum stops at the top instead of wrapping around.
func sum(a, b int64) int64 {
	if s := a + b; s >= a {
		return s
	}
	return 1<<63 - 1
}
