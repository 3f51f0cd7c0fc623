package cove

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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
// Microsoft 365), and before until, both by the sessions' own times; a zero since
// means from the beginning, a zero until no limit. Running ones are among
// them where Cove lists them, restores are not. Every error but a refused login
// and a context that ended wraps backup.ErrNoHistory.
func (c *Client) Sessions(ctx context.Context, d backup.Device, since, until time.Time) ([]backup.Session, error) {
	read, back := c.nodeSessions, lookBack
	if d.Type == backup.Microsoft365 {
		read, back = c.m365Sessions, lookBackM365
	}
	sessions, err := read(ctx, d, since.Add(-back), until)
	if err != nil {
		return nil, noHistory(ctx, fmt.Errorf("sessions of %s: %w", c.label(d), err))
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
	_, remembered := c.accounts.byDevice.Load(d.ID)
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

// nodeSessions reads a server's or workstation's history.
func (c *Client) nodeSessions(ctx context.Context, d backup.Device, since, until time.Time) (sessions []backup.Session, err error) {
	query := fmt.Sprintf("BackupStartTime >= %d", max(since.Unix(), 0))
	if !until.IsZero() {
		query += fmt.Sprintf(" and BackupStartTime < %d", until.Unix())
	}
	query += " and (Type & 1) == 1"
	err = c.withAccount(ctx, d, func(a account) error {
		read := func(offset int) (p historyPage, err error) {
			answer, err := c.atNode(ctx, a, "QuerySessions", map[string]any{
				"query": query, "orderBy": "BackupStartTime DESC", "range": span{offset, nodeRange},
			}, nodeRange, decodeRows(&p.rows, nodeRange, &p.more))
			p.at = answer.serverTime
			return p, err
		}
		sessions, err = c.history(ctx, d, since, until, nodeRange, read)
		for i, s := range sessions {
			sessions[i].Seq, _ = strconv.ParseInt(s.ID, 10, 64) // they count up
		}
		return err
	})
	return sessions, err
}

// historyPage is a page of a history.
type historyPage struct {
	rows []row
	more bool // than were asked for
	at   time.Time
}

// history reads a history page by page until a short page, and makes sessions
// of its rows. Rows move between pages while sessions begin, so that some come
// twice.
func (c *Client) history(ctx context.Context, d backup.Device, since, until time.Time, size int,
	read func(offset int) (historyPage, error)) ([]backup.Session, error) {
	var sessions []backup.Session
	var timeless []backup.Session
	seen := map[string]bool{}
	p := c.sourcesOf(d)
	for page := range maxPages {
		got, err := read(page * size)
		if err != nil {
			return nil, err
		}
		news := false
		for _, r := range got.rows {
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
			case c.plausibleTime(s.Start, got.at, d).IsZero():
			case s.Start.Before(since), !until.IsZero() && !s.Start.Before(until):
			default:
				sessions = append(sessions, s)
			}
		}
		if len(got.rows) < size {
			break
		}
		if !news {
			return nil, errRepeatedPage
		}
	}
	for _, s := range timeless {
		s, err := c.estimateTimes(ctx, d, s, sessions)
		if err != nil {
			return nil, err
		}
		if !s.Start.IsZero() && !s.Start.Before(since) && (until.IsZero() || s.Start.Before(until)) {
			sessions = append(sessions, s)
		}
	}
	return sessions, nil
}

// sourcesOf is what statistics told of the device; empty where they were not read yet.
func (c *Client) sourcesOf(d backup.Device) sourceSet {
	id, err := deviceNumber(d)
	if err != nil {
		return sourceSet{}
	}
	return c.deviceSources.get(id)
}

// label is what errors call a device.
func (c *Client) label(d backup.Device) string {
	if d.Name == "" {
		return "device " + truncate(d.ID, 50)
	}
	return c.quote(d.Name)
}
