package mailbox

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2"
)

// index is what a folder holds: read once, then only what is new is read.
// A start without a ledger asks for tens of thousands of mails.
type index struct {
	validity uint32
	next     imap.UID  // read up to here
	since    time.Time // mails with an earlier INTERNALDATE may be missing; zero: none is
	ids      map[string]imap.UID
}

// Dates in SEARCH are days, in whatever zone the server is, and clocks differ.
const searchSlack = 48 * time.Hour

// minIndexed is how many of the newest mails are read whatever the search by date
// says, for it may be behind.
const minIndexed = 1000

// searchIndex answers from what came into the open folder since.
func (m *IMAP) searchIndex(ctx context.Context, c *imapConn, folder string, box *imap.SelectData, since time.Time, s *search) error {
	select {
	case m.indexing <- struct{}{}:
		defer func() { <-m.indexing }()
	case <-ctx.Done():
		return contextError(ctx, nil)
	}
	x := m.indexes[folder]
	var err error
	if x == nil || x.validity != box.UIDValidity || box.UIDValidity == 0 || x.since.After(since) {
		if x, err = c.read(ctx, box, since); err != nil {
			return err
		}
		m.indexes[folder] = x
	} else if box.UIDNext == 0 || box.UIDNext > x.next {
		if err := c.extend(ctx, x, box, x.next); err != nil {
			return err
		}
	}
	for id := range s.pending {
		if uid, ok := x.ids[id]; ok {
			s.resolve(id, imapReceipt(folder, uid, x.validity))
		}
	}
	return nil
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
		start = box.UIDNext - min(box.UIDNext, minIndexed)
		if len(uids) > 0 {
			start = min(start, uids[0])
		}
	}
	return x, c.extend(ctx, x, box, start)
}

// extend reads the open folder from a UID on into the index.
func (c *imapConn) extend(ctx context.Context, x *index, box *imap.SelectData, start imap.UID) error {
	ids, err := c.messageIDs(ctx, start)
	if err != nil {
		return err
	}
	x.next = max(x.next, box.UIDNext)
	for uid, id := range ids {
		x.next = max(x.next, uid+1)
		if id != "" {
			x.ids[id] = uid
		}
	}
	return nil
}
