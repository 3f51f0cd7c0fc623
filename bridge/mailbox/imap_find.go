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
	if len(s.open) == 0 {
		return s.found, nil
	}
	err := m.find(ctx, s)
	if lineBroke(err) && ctx.Err() == nil {
		err = m.find(ctx, s) // it may have broken before, unnoticed
	}
	if err != nil {
		return nil, m.fail(&stepError{s.what(), err})
	}
	return s.found, nil
}

// lineBroke tells of an error on a connection that had been there.
func lineBroke(err error) bool {
	return err != nil && !answered(err) && !errors.As(err, new(*connectError)) && !errors.As(err, new(*incompleteError))
}

func (m *IMAP) find(ctx context.Context, s *search) error {
	c, err := m.pool.take(ctx, func(ctx context.Context, c *imapConn) error { return c.alive(ctx) })
	if err != nil {
		return err
	}
	defer func() { m.pool.put(c) }()
	folders := m.folders()
	for _, q := range s.open {
		if f := q.mark.folder; f != "" && !contains(folders, f) { // another folder was configured then
			folders = append(folders, f)
		}
	}
	for _, folder := range folders {
		if err := m.look(ctx, c, folder, s); err != nil || len(s.open) == 0 {
			return err
		}
	}
	if s.open = s.begun(); len(s.open) == 0 {
		return nil // every folder was read, and nothing was under way that could still arrive
	}
	// Servers that index headers are behind at times, and what was sent before
	// the line broke may still be on its way into the folder: look twice.
	for again := range 2 {
		if again > 0 {
			if err := pause(ctx, m.o.Settle); err != nil {
				return err
			}
		}
		for _, folder := range folders {
			if err := m.lookAnywhere(ctx, c, folder, s); err != nil || len(s.open) == 0 {
				return err
			}
		}
	}
	return nil
}

// look reads what came into the folder since the mails were sent there; for
// those of which no mark tells that, since a time before which they can't have
// come.
func (m *IMAP) look(ctx context.Context, c *imapConn, folder string, s *search) error {
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
			s.take(id, imapReceipt(folder, uid, box.UIDValidity))
		}
	}
	since, any := s.since(folder, box.UIDValidity)
	if !any {
		return nil
	}
	return m.lookup(ctx, c, folder, box, since, s)
}

// few is how many header searches are cheaper than reading a whole folder.
const few = 8

// lookAnywhere asks for what is still missing, wherever it is in the folder.
func (m *IMAP) lookAnywhere(ctx context.Context, c *imapConn, folder string, s *search) error {
	box, err := c.examine(ctx, folder)
	if errors.Is(err, errNoFolder) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(s.open) > few {
		return m.lookup(ctx, c, folder, box, time.Time{}, s)
	}
	for id := range s.open {
		uids, err := c.uids(ctx, &imap.SearchCriteria{
			Header: []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: id}},
		})
		if err != nil {
			return err
		}
		for _, uid := range uids { // it finds parts of a header too
			ids, err := c.fetchIDs(ctx, imap.UIDSet{{Start: uid, Stop: uid}}, []imap.UID{uid})
			if err != nil {
				return err
			}
			s.take(ids[uid], imapReceipt(folder, uid, box.UIDValidity))
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return noAnswer(ctx, nil)
	}
}

// search is what is asked, and what of it is answered.
type search struct {
	found []Found
	open  map[string]sought // by Message-ID: not found yet
}

// sought is a mail that is looked for.
type sought struct {
	mark  mark // zero: none of an IMAP mailbox
	begun bool // there was some mark: it may have been sent
	since time.Time
	at    []int // of the queries
}

func newSearch(queries []Query) *search {
	s := &search{found: make([]Found, len(queries)), open: make(map[string]sought, len(queries))}
	for i, q := range queries {
		w, again := s.open[q.MessageID]
		if !again || q.Since.Before(w.since) {
			w.since = q.Since
		}
		if at := parseMark(q.Mark); !again || at.next < w.mark.next {
			w.mark = at
		}
		w.begun = w.begun || q.Mark != ""
		w.at = append(w.at, i)
		s.open[q.MessageID] = w
	}
	return s
}

// take answers the queries for a mail that is there.
func (s *search) take(id, receipt string) {
	q, ok := s.open[id]
	if !ok {
		return
	}
	for _, i := range q.at {
		s.found[i] = Found{Receipt: receipt, Found: true}
	}
	delete(s.open, id)
}

// here tells whether the mark's UIDs say something about the folder as it is.
func (q sought) here(folder string, validity uint32) bool {
	return q.mark.folder == folder && q.mark.validity == validity && q.mark.next != 0
}

// from is the lowest mark in the folder; 0: there is none.
func (s *search) from(folder string, validity uint32) (from imap.UID) {
	for _, q := range s.open {
		if q.here(folder, validity) && (from == 0 || q.mark.next < from) {
			from = q.mark.next
		}
	}
	return from
}

// since is the earliest time of those without a mark in the folder.
func (s *search) since(folder string, validity uint32) (since time.Time, any bool) {
	for _, q := range s.open {
		if q.here(folder, validity) {
			continue
		}
		if !any || q.since.Before(since) {
			since, any = q.since, true
		}
	}
	return since, any
}

// begun are those that may have been sent.
func (s *search) begun() map[string]sought {
	begun := map[string]sought{}
	for id, q := range s.open {
		if q.begun {
			begun[id] = q
		}
	}
	return begun
}

func (s *search) what() string {
	if len(s.found) > 1 {
		return fmt.Sprintf("ask for %d mails", len(s.found))
	}
	for id := range s.open {
		return "ask for " + id
	}
	return "ask for a mail"
}
