package cove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"covebridge/bridge/backup"
)

// How far back of the time asked for histories are read: Cove lists some
// sessions late. Microsoft 365 lists finished ones only, so that a long one
// turns up behind newer ones.
const (
	lookBack     = 2 * time.Hour
	lookBackM365 = 7 * 24 * time.Hour
)

const (
	nodeRange = 100
	m365Range = 200
	maxPages  = 1000 // of one device's history
)

// Sessions lists the device's backup sessions that started at or after since,
// less a look-back for those that Cove lists late (2 hours; 7 days for
// Microsoft 365), and before until; zero: no limit. Running ones are among
// them where Cove lists them, restores are not. Every error but a refused login
// and a context that ended wraps backup.ErrNoHistory.
func (c *Client) Sessions(ctx context.Context, d backup.Device, since, until time.Time) ([]backup.Session, error) {
	read, back := c.nodeSessions, lookBack
	if d.Type == backup.Microsoft365 {
		read, back = c.m365Sessions, lookBackM365
	}
	sessions, err := read(ctx, d, since.Add(-back), until)
	if err != nil {
		return nil, noHistory(ctx, fmt.Errorf("sessions of %s: %w", c.quote(d.Name), err))
	}
	backup.SortSessions(sessions)
	return sessions, nil
}

// noHistory marks an error as one that statistics can stand in for.
func noHistory(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, backup.ErrRefused) {
		return err
	}
	return fmt.Errorf("%w: %w", backup.ErrNoHistory, err)
}

// withAccount does something with the device's account. Where that fails with
// one remembered, it is asked for anew, and if it is another one by now (a
// new token, another node), tried once more.
func (c *Client) withAccount(ctx context.Context, d backup.Device, do func(account) error) error {
	_, remembered := c.accounts.known.Load(d.ID)
	a, err := c.account(ctx, d, false)
	if err != nil {
		return err
	}
	if err = do(a); err == nil || !remembered || ctx.Err() != nil {
		return err
	}
	if fresh, again := c.account(ctx, d, true); again == nil && fresh != a {
		return do(fresh)
	}
	return err
}

// atNode calls a method of the device's node. No visa goes there: the node
// takes the device's token, and it may be somebody else's machine.
func (c *Client) atNode(ctx context.Context, a account, method string, params map[string]any, decode func(*json.Decoder) error) (reply, error) {
	url := c.nodeURL(a.host)
	if err := c.nodes.check(url, c.Now()); err != nil {
		return reply{}, err
	}
	params["accountId"], params["account"], params["token"] = a.id, a.name, a.token
	began := c.Now()
	answer, err := c.send(ctx, request{url: url, method: method, params: params, proof: byParams, tries: 2}, "", decode)
	if err != nil && ctx.Err() == nil {
		c.nodes.failed(url, began, c.Now(), err)
		if !ownNode(a.host) && c.NodeURL == "" {
			err = fmt.Errorf("self-hosted node %s: %w", a.host, err)
		}
	}
	return answer, err
}

// nodeSessions reads a server's or workstation's history.
func (c *Client) nodeSessions(ctx context.Context, d backup.Device, since, until time.Time) (sessions []backup.Session, err error) {
	query := fmt.Sprintf("BackupStartTime >= %d", max(since.Unix(), 0))
	if !until.IsZero() {
		query += fmt.Sprintf(" and BackupStartTime < %d", until.Unix())
	}
	query += " and (Type & 1) == 1"
	err = c.withAccount(ctx, d, func(a account) error {
		read := func(offset int) (rows []row, at time.Time, err error) {
			answer, err := c.atNode(ctx, a, "QuerySessions", map[string]any{
				"query": query, "orderBy": "BackupStartTime DESC", "range": span{offset, nodeRange},
			}, decodeRows(&rows))
			return rows, answer.at, err
		}
		sessions, err = c.history(ctx, d, since, until, nodeRange, read)
		return err
	})
	return sessions, err
}

// span is which rows a call asks for.
type span struct{ Offset, Size int }

// decodeRows gives a decoder that fills rows, from the beginning at each try.
func decodeRows(rows *[]row) func(*json.Decoder) error {
	return func(dec *json.Decoder) error {
		*rows = nil
		return readRows(dec, func() error {
			var r row
			err := dec.Decode(&r)
			*rows = append(*rows, r)
			return err
		}, nil)
	}
}

// history reads a history page by page until a short page, and makes sessions
// of its rows. Rows move between pages while sessions begin, so that some come
// twice.
func (c *Client) history(ctx context.Context, d backup.Device, since, until time.Time, size int,
	read func(offset int) ([]row, time.Time, error)) ([]backup.Session, error) {
	var sessions []backup.Session
	var timeless []backup.Session
	seen := map[string]bool{}
	p := c.profile(d)
	for page := range maxPages {
		rows, at, err := read(page * size)
		if err != nil {
			return nil, err
		}
		news := false
		for _, r := range rows {
			s, ok := c.session(r, p)
			key := s.Source.Key + " " + s.ID
			if s.ID == "" {
				key += s.Start.String()
			}
			if seen[key] {
				continue
			}
			seen[key], news = true, true
			switch {
			case !ok:
			case s.Start.IsZero():
				timeless = append(timeless, s)
			case c.believed(s.Start, at, d).IsZero():
			case s.Start.Before(since), !until.IsZero() && !s.Start.Before(until):
			default:
				sessions = append(sessions, s)
			}
		}
		if len(rows) < size || !news {
			break
		}
	}
	for _, s := range timeless {
		s, err := c.timed(ctx, d, s, sessions)
		if err != nil {
			return nil, err
		}
		if !s.Start.IsZero() && !s.Start.Before(since) && (until.IsZero() || s.Start.Before(until)) {
			sessions = append(sessions, s)
		}
	}
	return sessions, nil
}

// profile is what statistics told of the device; empty where they were not read yet.
func (c *Client) profile(d backup.Device) profile {
	p, _ := c.profiles.Load(d.ID)
	known, _ := p.(profile)
	return known
}
