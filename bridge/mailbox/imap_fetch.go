package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// messageIDField asks for one header, which every server hands out unparsed,
// and which the client passes on without keeping it, whatever its size.
var messageIDField = &imap.FetchItemBodySection{
	Specifier:    imap.PartSpecifierHeader,
	HeaderFields: []string{"Message-ID"},
	Peek:         true,
}

// messageIDs reads the Message-IDs of the mails in the open folder from a UID
// on; a mail without one has an empty one. What a SEARCH names and the FETCH
// does not bring is an error, for it may be the very mail that is looked for.
func (c *imapConn) messageIDs(ctx context.Context, from imap.UID) (map[imap.UID]string, error) {
	span := imap.UIDSet{{Start: max(from, 1)}} // a list of each could be too long a line
	for again := false; ; again = true {       // a mail may go away between the two
		named, err := c.uids(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{span}})
		if err != nil {
			return nil, err
		}
		ids, err := c.fetchIDs(ctx, span, named)
		if errors.As(err, new(*incompleteError)) && !again {
			continue
		}
		return ids, err
	}
}

// incompleteError is a FETCH that did not bring all that a SEARCH named.
type incompleteError struct {
	uid   imap.UID // one that is missing
	named int      // mails
}

func (e *incompleteError) Error() string {
	return fmt.Sprintf("the server names %d mails and then keeps some back (UID %d)", e.named, e.uid)
}

// fetchIDs reads the Message-IDs of the mails in the span, at least of those named.
func (c *imapConn) fetchIDs(ctx context.Context, span imap.UIDSet, named []imap.UID) (map[imap.UID]string, error) {
	got := c.fetched.begin(len(named))
	defer c.fetched.end()
	err := c.withTimeout(ctx, searchTimeout, func() error {
		cmd := c.Fetch(span, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{messageIDField}})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			if err := got.read(msg); err != nil {
				return err // without Close, which would read on; the connection is gone
			}
		}
		return cmd.Close()
	})
	if err != nil {
		return nil, err
	}
	if uid := got.wait(ctx, named); uid != 0 {
		return nil, &incompleteError{uid, len(named)}
	}
	return got.ids(), nil
}

// uids lists the mails of the open folder that meet the criteria, in order.
func (c *imapConn) uids(ctx context.Context, criteria *imap.SearchCriteria) (uids []imap.UID, err error) {
	err = c.withTimeout(ctx, searchTimeout, func() error {
		data, err := c.UIDSearch(criteria, nil).Wait()
		if err != nil {
			return err
		}
		set, ok := data.All.(imap.UIDSet)
		if !ok {
			return nil
		}
		if count(set) > maxLine { // a range takes few bytes to name any number of mails
			return errors.New("the server names more mails than a folder can hold")
		}
		uids, ok = set.Nums()
		if !ok {
			return errors.New("the server names mails without an end")
		}
		return nil
	})
	return uids, err
}

func count(set imap.UIDSet) (n uint64) {
	for _, r := range set {
		if r.Stop >= r.Start {
			n += uint64(r.Stop-r.Start) + 1
		}
	}
	return n
}

// fetchCollector takes what FETCH answers bring apart from the command's own: a
// server may tell of one mail in several answers, and name its UID behind the
// header (RFC 9051 section 7.5.2); the client hands only the first answer that
// begins with the UID to the command, and the others here, each on a
// goroutine of its own.
type fetchCollector struct {
	mu      sync.Mutex
	current *idCollector // nil: nothing is being fetched
}

func (f *fetchCollector) begin(size int) *idCollector {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current = &idCollector{id: make(map[imap.UID]string, size), arrived: make(chan struct{}, 1)}
	return f.current
}

func (f *fetchCollector) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current = nil
}

func (f *fetchCollector) take(msg *imapclient.FetchMessageData) {
	f.mu.Lock()
	now := f.current
	f.mu.Unlock()
	if now == nil {
		now = &idCollector{id: map[imap.UID]string{}, arrived: make(chan struct{}, 1)}
	}
	now.read(msg) // an error is the connection's end, which the command sees too
}

// idCollector are the Message-IDs that came, by UID.
type idCollector struct {
	mu      sync.Mutex
	id      map[imap.UID]string
	arrived chan struct{}
}

// read takes one answer, with its items in any order.
func (a *idCollector) read(msg *imapclient.FetchMessageData) error {
	var (
		uid    imap.UID
		id     string
		header bool
	)
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = item.UID
		case imapclient.FetchItemDataBodySection:
			header = true
			if item.Literal == nil { // NIL from some servers, where there is none
				continue
			}
			text, err := readHeader(item.Literal)
			if err != nil {
				return err
			}
			id = parseMessageID(text)
		}
	}
	if header && uid != 0 {
		a.mu.Lock()
		a.id[uid] = id
		a.mu.Unlock()
		select {
		case a.arrived <- struct{}{}:
		default:
		}
	}
	return nil
}

// lateAnswerWait is how long answers that the client has read may take to get here.
const lateAnswerWait = 250 * time.Millisecond

// wait gives one of the mails that did not come; 0: all did.
func (a *idCollector) wait(ctx context.Context, named []imap.UID) imap.UID {
	timer := time.NewTimer(lateAnswerWait)
	defer timer.Stop()
	for {
		if named = a.missing(named); len(named) == 0 {
			return 0
		}
		select {
		case <-a.arrived:
		case <-timer.C:
			return named[0]
		case <-ctx.Done():
			return named[0]
		}
	}
}

// missing leaves those from the first one on that did not come yet.
func (a *idCollector) missing(named []imap.UID) []imap.UID {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, uid := range named {
		if _, ok := a.id[uid]; !ok {
			return named[i:]
		}
	}
	return nil
}

// ids gives what came, for good: a late answer no longer changes it.
func (a *idCollector) ids() map[imap.UID]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	ids := a.id
	a.id = map[imap.UID]string{}
	return ids
}

// readHeader reads all of a literal and gives its beginning, for a header can
// be of any size. It never reads on after an end that came too soon: from
// then on the client itself reads.
func readHeader(literal imap.LiteralReader) (string, error) {
	const enough = 4096
	header, err := io.ReadAll(io.LimitReader(literal, enough))
	size := int64(len(header))
	if err == nil && size == enough {
		var rest int64
		rest, err = io.Copy(io.Discard, literal)
		size += rest
	}
	if err == nil && size < literal.Size() {
		err = io.ErrUnexpectedEOF
	}
	return string(header), err
}

// parseMessageID takes the Message-ID out of a header: a lone field, perhaps
// folded, then an empty line (RFC 9051 section 6.4.5.1).
func parseMessageID(header string) string {
	_, value, _ := strings.Cut(header, ":")
	value = strings.TrimSpace(value)
	return strings.TrimSuffix(strings.TrimPrefix(value, "<"), ">")
}
