package mailbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"
)

// Find tells which of the mails are in the target folder or in one of those
// that the reader moves mails to. However many are asked for, a folder is read
// once: from the lowest mark on, or as far back as the earliest Since.
//
// Several mails with one Message-ID count as one. Where the server can't be
// asked, that is an error; a mail is never called missing for it.
func (m *IMAP) Find(ctx context.Context, queries []Query) ([]Found, error) {
	s := newSearch(queries)
	if len(s.pending) == 0 {
		return s.found, nil
	}
	err := m.find(ctx, s)
	if connectionLost(err) && ctx.Err() == nil {
		err = m.find(ctx, s) // it may have broken before, unnoticed
	}
	if err != nil {
		return nil, m.fail(&stepError{s.describe(), err})
	}
	return s.found, nil
}

// connectionLost tells of an error on a connection that had been there.
func connectionLost(err error) bool {
	return err != nil && !isServerReply(err) && !errors.As(err, new(*connectError)) && !errors.As(err, new(*incompleteError))
}

func (m *IMAP) find(ctx context.Context, s *search) error {
	c, err := m.pool.get(ctx, func(ctx context.Context, c *imapConn) error { return c.alive(ctx) })
	if err != nil {
		return err
	}
	defer func() { m.pool.put(c) }()
	folders := m.folders()
	for _, q := range s.pending {
		if f := q.mark.folder; f != "" && !contains(folders, f) { // another folder was configured then
			folders = append(folders, f)
		}
	}
	for _, folder := range folders {
		if err := m.readNew(ctx, c, folder, s); err != nil || len(s.pending) == 0 {
			return err
		}
	}
	if s.pending = s.maybeSent(); len(s.pending) == 0 {
		return nil // every folder was read, and nothing was under way that could still arrive
	}
	// Servers that index headers are behind at times, and what was sent before
	// the line broke may still be on its way into the folder: look twice.
	for again := range 2 {
		if again > 0 {
			if err := pause(ctx, m.o.SearchDelay); err != nil {
				return err
			}
		}
		for _, folder := range folders {
			if err := m.searchAll(ctx, c, folder, s); err != nil || len(s.pending) == 0 {
				return err
			}
		}
	}
	return nil
}

// readNew reads what came into the folder since the mails were sent there; for
// those of which no mark tells that, since a time before which they can't have
// come.
func (m *IMAP) readNew(ctx context.Context, c *imapConn, folder string, s *search) error {
	box, err := c.examine(ctx, folder)
	if errors.Is(err, errNoFolder) {
		return nil
	}
	if err != nil {
		return err
	}
	if from := s.from(folder, box.UIDValidity); from != 0 {
		ids, err := c.messageIDs(ctx, from)
		if err != nil {
			return err
		}
		for uid, id := range ids {
			s.resolve(id, imapReceipt(folder, uid, box.UIDValidity))
		}
	}
	since, any := s.since(folder, box.UIDValidity)
	if !any {
		return nil
	}
	return m.searchIndex(ctx, c, folder, box, since, s)
}

// maxHeaderSearches is how many header searches are cheaper than reading a whole folder.
const maxHeaderSearches = 8

// searchAll asks for what is still missing, wherever it is in the folder.
func (m *IMAP) searchAll(ctx context.Context, c *imapConn, folder string, s *search) error {
	box, err := c.examine(ctx, folder)
	if errors.Is(err, errNoFolder) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(s.pending) > maxHeaderSearches {
		return m.searchIndex(ctx, c, folder, box, time.Time{}, s)
	}
	for id := range s.pending {
		uids, err := c.uids(ctx, &imap.SearchCriteria{
			Header: []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: id}},
		})
		if err != nil {
			return err
		}
		for _, uid := range uids { // it finds parts of a header too (RFC 9051 section 6.4.4)
			ids, err := c.fetchIDs(ctx, imap.UIDSet{{Start: uid, Stop: uid}}, []imap.UID{uid})
			if err != nil {
				return err
			}
			s.resolve(ids[uid], imapReceipt(folder, uid, box.UIDValidity))
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return contextError(ctx, nil)
	}
}

// search is what is asked, and what of it is answered.
type search struct {
	found   []Found
	pending map[string]target // by Message-ID: not found yet
}

// target is a mail that is looked for.
type target struct {
	mark      mark // zero: none of an IMAP mailbox
	maybeSent bool // there was some mark: it may have been sent
	since     time.Time
	indexes   []int // of the queries
}

func newSearch(queries []Query) *search {
	s := &search{found: make([]Found, len(queries)), pending: make(map[string]target, len(queries))}
	for i, q := range queries {
		w, again := s.pending[q.MessageID]
		if !again || q.Since.Before(w.since) {
			w.since = q.Since
		}
		if at := parseMark(q.Mark); !again || at.next < w.mark.next {
			w.mark = at
		}
		w.maybeSent = w.maybeSent || q.Mark != ""
		w.indexes = append(w.indexes, i)
		s.pending[q.MessageID] = w
	}
	return s
}

// resolve answers the queries for a mail that is there.
func (s *search) resolve(id, receipt string) {
	q, ok := s.pending[id]
	if !ok {
		return
	}
	for _, i := range q.indexes {
		s.found[i] = Found{Receipt: receipt, Found: true}
	}
	delete(s.pending, id)
}

// markIn tells whether the mark's UIDs say something about the folder as it is.
func (q target) markIn(folder string, validity uint32) bool {
	return q.mark.folder == folder && q.mark.validity == validity && q.mark.next != 0
}

// from is the lowest mark in the folder; 0: there is none.
func (s *search) from(folder string, validity uint32) (from imap.UID) {
	for _, q := range s.pending {
		if q.markIn(folder, validity) && (from == 0 || q.mark.next < from) {
			from = q.mark.next
		}
	}
	return from
}

// since is the earliest time of those without a mark in the folder.
func (s *search) since(folder string, validity uint32) (since time.Time, any bool) {
	for _, q := range s.pending {
		if q.markIn(folder, validity) {
			continue
		}
		if !any || q.since.Before(since) {
			since, any = q.since, true
		}
	}
	return since, any
}

// maybeSent are those that may have been sent.
func (s *search) maybeSent() map[string]target {
	begun := map[string]target{}
	for id, q := range s.pending {
		if q.maybeSent {
			begun[id] = q
		}
	}
	return begun
}

func (s *search) describe() string {
	if len(s.found) > 1 {
		return fmt.Sprintf("ask for %d mails", len(s.found))
	}
	for id := range s.pending {
		return "ask for " + id
	}
	return "ask for a mail"
}
