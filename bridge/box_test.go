package bridge_test

import (
	"bytes"
	"context"
	"sync"

	"covebridge/bridge/mailbox"
	"covebridge/bridge/message"
)

// box is a mailbox in memory on which things go wrong as told.
type box struct {
	mu    sync.Mutex
	mails []string          // Message-IDs in the order of their arrival
	texts map[string]string // by Message-ID: subject and text
	fault func(m mailbox.Mail) fault
	away  bool // nothing can be begun
	brief bool // keeps no texts
	deaf  bool // can't be asked which mails it has
	finds int
}

// fault is what goes wrong with one delivery.
type fault int

const (
	none       fault = iota
	lost             // begun, not arrived, no answer
	unanswered       // arrived, no answer
	refused          // refused for good
)

func (b *box) Deliver(_ context.Context, mails []mailbox.Mail, begin func(string) error) []mailbox.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	results := make([]mailbox.Result, len(mails))
	if b.away {
		for i := range results {
			results[i].Err = &mailbox.Error{Op: "dial", Class: mailbox.Unavailable, Text: "port refused"}
		}
		return results
	}
	if err := begin("mark"); err != nil {
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	for i, m := range mails {
		results[i] = b.take(m)
	}
	return results
}

func (b *box) take(m mailbox.Mail) mailbox.Result {
	f := none
	if b.fault != nil {
		f = b.fault(m)
	}
	switch f {
	case refused:
		return mailbox.Result{Err: &mailbox.Error{Op: "append", Class: mailbox.Final, Text: "never"}}
	case lost:
		return mailbox.Result{Err: &mailbox.Error{Op: "append", Class: mailbox.Unknown, Text: "no answer"}}
	}
	content, err := message.Read(bytes.NewReader(m.Bytes))
	if err != nil {
		return mailbox.Result{Err: err}
	}
	b.mails = append(b.mails, m.MessageID)
	if b.texts == nil {
		b.texts = map[string]string{}
	}
	if !b.brief {
		b.texts[m.MessageID] = content.String()
	}
	if f == unanswered {
		return mailbox.Result{Err: &mailbox.Error{Op: "append", Class: mailbox.Unknown, Text: "no answer"}}
	}
	return mailbox.Result{Receipt: "uid"}
}

func (b *box) Find(_ context.Context, queries []mailbox.Query) ([]mailbox.Found, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finds += len(queries)
	if b.deaf {
		return nil, mailbox.ErrCannotAsk
	}
	all := make([]mailbox.Found, len(queries))
	for i, q := range queries {
		_, found := b.texts[q.MessageID]
		all[i] = mailbox.Found{Receipt: "found", Found: found}
	}
	return all, nil
}

func (b *box) Check(context.Context, func(mailbox.Finding)) {}
func (b *box) Close() error                                 { return nil }

// count tells how often each mail arrived.
func (b *box) count() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := map[string]int{}
	for _, id := range b.mails {
		n[id]++
	}
	return n
}
