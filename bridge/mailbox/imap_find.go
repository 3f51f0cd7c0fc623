package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Find tells whether the mail is in the target folder or in one of those that
// the reader moves mails to. mark is what begin got for the delivery in
// question; empty, if nothing is known of one. since is a time before which
// the mail can't have come, by its Date; zero: not known.
//
// Several mails with the Message-ID count as one. Where the server can't be
// asked, that is an error; a mail is never called missing for it.
func (m *IMAP) Find(ctx context.Context, messageID, mark string, since time.Time) (receipt string, found bool, err error) {
	receipt, err = m.find(ctx, messageID, mark, since)
	if lineBroke(err) && ctx.Err() == nil {
		receipt, err = m.find(ctx, messageID, mark, since) // it may have broken before, unnoticed
	}
	if err != nil {
		return "", false, m.fail(&stepError{"ask for " + messageID, err})
	}
	return receipt, receipt != "", nil
}

// lineBroke tells of an error on a connection that had been there.
func lineBroke(err error) bool {
	var (
		answer *imap.Error
		failed *connectError
	)
	return err != nil && !errors.As(err, &answer) && !errors.As(err, &failed)
}

func (m *IMAP) find(ctx context.Context, messageID, mark string, since time.Time) (string, error) {
	c, err := m.pool.take(ctx, func(ctx context.Context, c *imapConn) error { return c.alive(ctx) })
	if err != nil {
		return "", err
	}
	defer func() { m.pool.put(c) }()
	at := parseMark(mark)
	folders := m.folders()
	if at.folder != "" && at.folder != m.o.Mailbox { // another folder was configured then
		folders = append(folders, at.folder)
	}
	for _, folder := range folders {
		var receipt string
		if folder == at.folder {
			receipt, err = m.findFrom(ctx, c, at, messageID, since)
		} else {
			receipt, err = m.findIndexed(ctx, c, folder, messageID, since)
		}
		if receipt != "" || err != nil {
			return receipt, err
		}
	}
	if mark == "" {
		return "", nil // every folder was read; nothing was under way that could still arrive
	}
	return m.search(ctx, c, folders, messageID)
}

// findFrom reads the Message-IDs of what came into the folder since the mark:
// cheaper and surer than searching.
func (m *IMAP) findFrom(ctx context.Context, c *imapConn, at mark, messageID string, since time.Time) (string, error) {
	box, err := c.examine(ctx, at.folder)
	if errors.Is(err, errNoFolder) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if at.next == 0 || box.UIDValidity != at.validity { // the UIDs say nothing any more
		return m.findIndexed(ctx, c, at.folder, messageID, since)
	}
	return c.pick(ctx, from(at.next), at.folder, box.UIDValidity, messageID)
}

// search asks every folder by header, twice: servers that index headers are
// behind at times, and what was sent before the line broke may still be on
// its way into the folder.
func (m *IMAP) search(ctx context.Context, c *imapConn, folders []string, messageID string) (string, error) {
	for look := range 2 {
		if look > 0 {
			select {
			case <-time.After(m.o.Settle):
			case <-ctx.Done():
				return "", noAnswer(ctx, nil)
			}
		}
		for _, folder := range folders {
			receipt, err := c.search(ctx, folder, messageID)
			if receipt != "" || err != nil {
				return receipt, err
			}
		}
	}
	return "", nil
}

// search asks one folder by header. That finds parts of a header too, so what
// is found is compared.
func (c *imapConn) search(ctx context.Context, folder, messageID string) (string, error) {
	box, err := c.examine(ctx, folder)
	if errors.Is(err, errNoFolder) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	uids, err := c.uids(ctx, &imap.SearchCriteria{
		Header: []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: messageID}},
	})
	if len(uids) == 0 || err != nil {
		return "", err
	}
	return c.pick(ctx, uids, folder, box.UIDValidity, messageID)
}

// pick gives a receipt if one of the mails has the Message-ID.
func (c *imapConn) pick(ctx context.Context, uids imap.UIDSet, folder string, validity uint32, messageID string) (receipt string, err error) {
	err = c.messageIDs(ctx, uids, func(uid imap.UID, id string) {
		if id == messageID && receipt == "" {
			receipt = imapReceipt(folder, uid, validity)
		}
	})
	if err != nil { // a header that was cut short may look like another
		return "", err
	}
	return receipt, nil
}

// uids lists the mails of the open folder that meet the criteria.
func (c *imapConn) uids(ctx context.Context, criteria *imap.SearchCriteria) (uids imap.UIDSet, err error) {
	err = c.within(ctx, searchTimeout, func() error {
		data, err := c.UIDSearch(criteria, nil).Wait()
		if err == nil {
			uids, _ = data.All.(imap.UIDSet)
		}
		return err
	})
	return uids, err
}

var messageIDField = &imap.FetchItemBodySection{
	Specifier:    imap.PartSpecifierHeader,
	HeaderFields: []string{"Message-ID"},
	Peek:         true,
}

// messageIDs tells the Message-IDs of mails in the open folder, one by one.
func (c *imapConn) messageIDs(ctx context.Context, uids imap.UIDSet, tell func(uid imap.UID, id string)) error {
	return c.within(ctx, searchTimeout, func() error {
		cmd := c.Fetch(uids, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{messageIDField}})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			var uid imap.UID
			var id string
			for item := msg.Next(); item != nil; item = msg.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					uid = item.UID
				case imapclient.FetchItemDataBodySection:
					if item.Literal == nil { // NIL from some servers, where there is none
						continue
					}
					header, err := readHeader(item.Literal)
					if err != nil {
						return err // without Close, which would read on; the connection is gone
					}
					id = parseMessageID(header)
				}
			}
			tell(uid, id)
		}
		return cmd.Close()
	})
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

// from is every UID from this one on. Servers answer it with the last mail
// where none is that high, which harms nobody who compares.
func from(uid imap.UID) imap.UIDSet {
	return imap.UIDSet{{Start: max(uid, 1), Stop: 0}}
}

// parseMessageID takes the Message-ID out of a header: a lone field,
// perhaps folded, then an empty line.
func parseMessageID(header string) string {
	_, value, _ := strings.Cut(header, ":")
	value = strings.TrimSpace(value)
	return strings.TrimSuffix(strings.TrimPrefix(value, "<"), ">")
}

// mark is what begin got: mails delivered after it have these UIDs or higher.
type mark struct {
	folder   string
	validity uint32
	next     imap.UID
}

func (m mark) String() string { return fmt.Sprintf("imap:%s:%d:%d", m.folder, m.validity, m.next) }

// parseMark gives the zero mark for what is none of an IMAP mailbox.
func parseMark(s string) (m mark) {
	rest, ok := strings.CutPrefix(s, "imap:")
	i := strings.LastIndexByte(rest, ':')
	if !ok || i < 0 {
		return mark{}
	}
	j := strings.LastIndexByte(rest[:i], ':')
	if j < 0 {
		return mark{}
	}
	validity, err1 := strconv.ParseUint(rest[j+1:i], 10, 32)
	next, err2 := strconv.ParseUint(rest[i+1:], 10, 32)
	if err1 != nil || err2 != nil {
		return mark{}
	}
	return mark{rest[:j], uint32(validity), imap.UID(next)}
}
