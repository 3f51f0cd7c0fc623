package mailbox

import (
	"context"
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"
)

// index is what a folder holds: read once, then only what is new is read.
// A start without a ledger asks for tens of thousands of mails in a row.
type index struct {
	validity uint32
	next     imap.UID  // read up to here
	since    time.Time // mails with an earlier INTERNALDATE may be missing; zero: none is
	ids      map[string]imap.UID
}

// Dates in SEARCH are days, in whatever zone the server is, and clocks differ.
const searchSlack = 48 * time.Hour

// recent is how many of the newest mails are read whatever the search by date
// says, for it may be behind.
const recent = 1000

// findIndexed looks the mail up among those that came into the folder since.
func (m *IMAP) findIndexed(ctx context.Context, c *imapConn, folder, messageID string, since time.Time) (string, error) {
	select {
	case m.asking <- struct{}{}:
		defer func() { <-m.asking }()
	case <-ctx.Done():
		return "", noAnswer(ctx, nil)
	}
	box, err := c.examine(ctx, folder)
	if errors.Is(err, errNoFolder) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	x := m.indexes[folder]
	if x == nil || x.validity != box.UIDValidity || box.UIDValidity == 0 || x.since.After(since) {
		if x, err = c.read(ctx, box, since); err != nil {
			return "", err
		}
		m.indexes[folder] = x
	} else if box.UIDNext == 0 || box.UIDNext > x.next {
		if err := c.extend(ctx, x, box, x.next); err != nil {
			delete(m.indexes, folder) // its last entry may be cut short
			return "", err
		}
	}
	if uid, ok := x.ids[messageID]; ok {
		return imapReceipt(folder, uid, x.validity), nil
	}
	return "", nil
}

// read makes an index of the open folder. It goes back twice as far as asked,
// so that being asked for older and older mails does not read it each time.
func (c *imapConn) read(ctx context.Context, box *imap.SelectData, since time.Time) (*index, error) {
	x := &index{validity: box.UIDValidity, next: 1, ids: map[string]imap.UID{}}
	start := imap.UID(1)
	if !since.IsZero() {
		x.since = since.Add(-max(time.Since(since), 0))
		uids, err := c.uids(ctx, &imap.SearchCriteria{Since: x.since.Add(-searchSlack)})
		if err != nil {
			return nil, err
		}
		start = box.UIDNext - min(box.UIDNext, recent)
		for _, r := range uids {
			start = min(start, r.Start)
		}
	}
	return x, c.extend(ctx, x, box, start)
}

// extend reads the open folder from a UID on into the index.
func (c *imapConn) extend(ctx context.Context, x *index, box *imap.SelectData, start imap.UID) error {
	x.next = max(x.next, box.UIDNext)
	return c.messageIDs(ctx, from(start), func(uid imap.UID, id string) {
		x.next = max(x.next, uid+1)
		if id != "" {
			x.ids[id] = uid
		}
	})
}
