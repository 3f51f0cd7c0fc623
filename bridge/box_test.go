package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"covebridge/bridge/mailbox"
	"covebridge/bridge/message"
)

// box is a mailbox in memory on which things go wrong as told.
type box struct {
	mu    sync.Mutex
	mails []string          // Message-IDs in the order of their arrival
	texts map[string]string // by Message-ID: subject and text
	fault func(m mailbox.Mail) fault
	deaf  bool // can't be asked which mails it has
	finds int
}

// fault is what goes wrong with one delivery.
type fault int

const (
	none        fault = iota
	unreachable       // nothing was begun
	lost              // begun, not arrived, no answer
	unanswered        // arrived, no answer
	refused           // refused for good
	dies              // arrived, and the process dies before it can record that
)

var errDied = errors.New("the process died here")

func (b *box) Deliver(_ context.Context, m mailbox.Mail, begin func(string) error) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := none
	if b.fault != nil {
		f = b.fault(m)
	}
	if f == unreachable {
		return "", &mailbox.Error{Op: "dial", Class: mailbox.Temporary, Text: "port refused"}
	}
	if err := begin("mark"); err != nil {
		return "", err
	}
	switch f {
	case refused:
		return "", &mailbox.Error{Op: "append", Class: mailbox.Refused, Text: "never"}
	case lost:
		return "", &mailbox.Error{Op: "append", Class: mailbox.Unknown, Text: "no answer"}
	}
	content, err := message.Read(bytes.NewReader(m.Bytes))
	if err != nil {
		return "", err
	}
	b.mails = append(b.mails, m.MessageID)
	if b.texts == nil {
		b.texts = map[string]string{}
	}
	b.texts[m.MessageID] = content.String()
	switch f {
	case unanswered:
		return "", &mailbox.Error{Op: "append", Class: mailbox.Unknown, Text: "no answer"}
	case dies:
		return "", errDied
	}
	return "uid", nil
}

func (b *box) Find(_ context.Context, id, _ string, _ time.Time) (string, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finds++
	if b.deaf {
		return "", false, mailbox.ErrCannotAsk
	}
	_, found := b.texts[id]
	return "found", found, nil
}

func (b *box) Check(context.Context) ([]mailbox.Finding, error) { return nil, nil }
func (b *box) Close() error                                     { return nil }

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
