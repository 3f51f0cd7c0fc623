package world

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"

	"covebridge/bridge/mailbox"
	"covebridge/bridge/message"
)

// store is the mailbox that all bridges deliver into.
type store struct {
	mu    sync.Mutex
	mails []stored // in the order of their arrival
}

type stored struct {
	id   string // Message-ID
	text string // subject and text as the reader sees them
}

func (s *store) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mails {
		if m.id == id {
			return true
		}
	}
	return false
}

// box is the mailbox as one bridge sees it.
type box struct {
	plan  Plan
	epoch time.Time
	*processLife
	store *store
}

func (b *box) during(kind Trouble, device int) bool {
	return b.plan.during(time.Since(b.epoch), kind, device)
}

// Deliver delivers the mails one after the other, as far as it is let.
func (b *box) Deliver(ctx context.Context, mails []mailbox.Mail, begin func(string) error) []mailbox.Result {
	results := make([]mailbox.Result, len(mails))
	rest := func(from int, err error) []mailbox.Result {
		for i := from; i < len(mails); i++ {
			results[i].Err = err
		}
		return results
	}
	if err := b.pass(ctx, latency); err != nil {
		return rest(0, &mailbox.Error{Op: "connect", Class: mailbox.Unavailable, Text: err.Error()})
	}
	if b.during(Throttled, -1) {
		return rest(0, &mailbox.Error{Op: "log in", Class: mailbox.Unavailable, Text: "too many connections", RetryAfter: time.Minute})
	}
	if err := begin("1:1"); err != nil {
		return rest(0, err)
	}
	for i, m := range mails {
		err := b.pass(ctx, latency)
		switch {
		case err != nil:
		case b.during(RefusesAll, -1), b.during(RefusesDevice, deviceOf(m.MessageID)):
			results[i].Err = &mailbox.Error{Op: "append", Class: mailbox.Rejected, Text: "NO"}
			continue
		case b.during(Stalls, -1) && i%2 == 1:
			if err = sleep(ctx, time.Minute); err == nil {
				err = context.DeadlineExceeded
			}
		case b.during(Cuts, -1) && i%2 == 1:
			err = errDead
		default:
			if err = b.take(m); err == nil && b.during(Mute, -1) {
				err = errDead
			}
		}
		if err != nil {
			return rest(i, &mailbox.Error{Op: "append", Class: mailbox.Unknown, Text: err.Error()})
		}
		results[i].Receipt = "uid"
	}
	return results
}

func (b *box) take(m mailbox.Mail) error {
	content, err := message.Read(bytes.NewReader(m.Bytes))
	if err != nil {
		return err
	}
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	b.store.mails = append(b.store.mails, stored{m.MessageID, content.String()})
	return nil
}

// Find tells which mails are there.
func (b *box) Find(ctx context.Context, queries []mailbox.Query) ([]mailbox.Found, error) {
	if err := b.pass(ctx, latency); err != nil {
		return nil, &mailbox.Error{Op: "search", Class: mailbox.Unavailable, Text: err.Error()}
	}
	if b.during(Unasked, -1) || b.during(Throttled, -1) {
		return nil, &mailbox.Error{Op: "search", Class: mailbox.Unavailable, Text: "NO [UNAVAILABLE]"}
	}
	all := make([]mailbox.Found, len(queries))
	for i, q := range queries {
		all[i] = mailbox.Found{Receipt: "found", Found: b.store.has(q.MessageID)}
	}
	return all, nil
}

// Check has nothing to say.
func (b *box) Check(context.Context, func(mailbox.Finding)) {}

// Close has nothing to do.
func (b *box) Close() error { return nil }

// deviceOf gives the number of the device that the mail is about.
func deviceOf(messageID string) int {
	words := strings.Split(messageID, "-")
	if len(words) < 2 {
		return -1
	}
	n := 0
	for _, c := range words[1] {
		n = n*10 + int(c-'0')
	}
	return n - firstID
}
