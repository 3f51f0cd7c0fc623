package deliver

import (
	"context"
	"strings"
	"sync"
	"time"

	"covebridge/bridge/mailbox"
)

// reply is what a mailbox does with one mail.
type reply int

const (
	takes   reply = iota
	refuses       // Rejected
	final         // Final
	absent        // Unavailable, and so are those behind it on the connection
	cuts          // Unknown, not arrived, and so are those behind it
	mute          // Unknown, arrived; those behind it not
)

// box is a mailbox in memory that answers as told.
type box struct {
	mu     sync.Mutex
	there  map[string]int // how often each mail came
	order  []string       // Message-IDs without the host, as they came
	sizes  []int          // mails of each Deliver
	asked  [][]string     // Message-IDs of each Find
	reply  func(id string) reply
	retry  time.Duration // RetryAfter of absent
	deaf   bool          // can't be asked
	find   func(ctx context.Context, queries []mailbox.Query) error
	before func(ctx context.Context) error // before begin
	after  func(ctx context.Context) error // after it, before the first mail
	time   time.Duration                   // that a delivery takes
}

func newBox() *box { return &box{there: map[string]int{}} }

func (b *box) Deliver(ctx context.Context, mails []mailbox.Mail, begin func(string) error) []mailbox.Result {
	results := make([]mailbox.Result, len(mails))
	all := func(err error) []mailbox.Result {
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	b.mu.Lock()
	b.sizes = append(b.sizes, len(mails))
	before, after, lasts := b.before, b.after, b.time
	b.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return all(err)
		}
	}
	if err := begin("mark"); err != nil {
		return all(err)
	}
	if after != nil {
		if err := after(ctx); err != nil {
			return all(err)
		}
	}
	time.Sleep(lasts)
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, m := range mails {
		id := strings.TrimSuffix(m.MessageID, "@x")
		r := takes
		if b.reply != nil {
			r = b.reply(id)
		}
		switch r {
		case takes:
			b.arrive(id)
			results[i].Receipt = "uid"
		case refuses:
			results[i].Err = &mailbox.Error{Op: "append", Class: mailbox.Rejected, Text: "NO", Hint: "look at the server"}
		case final:
			results[i].Err = &mailbox.Error{Op: "append", Class: mailbox.Final, Text: "NO [TOOBIG]"}
		case absent:
			for ; i < len(mails); i++ {
				results[i].Err = &mailbox.Error{Op: "append", Class: mailbox.Unavailable, Text: "throttled", RetryAfter: b.retry}
			}
			return results
		default:
			if r == mute {
				b.arrive(id)
			}
			for ; i < len(mails); i++ {
				results[i].Err = &mailbox.Error{Op: "append", Class: mailbox.Unknown, Text: "connection lost"}
			}
			return results
		}
	}
	return results
}

func (b *box) arrive(id string) {
	b.there[id]++
	b.order = append(b.order, id)
}

func (b *box) Find(ctx context.Context, queries []mailbox.Query) ([]mailbox.Found, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []string
	founds := make([]mailbox.Found, len(queries))
	for i, q := range queries {
		id := strings.TrimSuffix(q.MessageID, "@x")
		ids = append(ids, id)
		founds[i] = mailbox.Found{Receipt: "uid", Found: b.there[id] > 0}
	}
	b.asked = append(b.asked, ids)
	if b.deaf {
		return nil, mailbox.ErrCannotAsk
	}
	if b.find != nil {
		if err := b.find(ctx, queries); err != nil {
			return nil, err
		}
	}
	return founds, ctx.Err()
}

// set changes how it behaves.
func (b *box) set(change func(b *box)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

// came counts the mails that came whose names begin so.
func (b *box) came(prefix string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, times := range b.there {
		if strings.HasPrefix(id, prefix) {
			n += times
		}
	}
	return n
}

// tries counts the deliveries that were begun, and the mails in them.
func (b *box) tries() (deliveries, mails int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.sizes {
		mails += n
	}
	return len(b.sizes), mails
}

// finds counts the questions.
func (b *box) finds() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.asked)
}

// bad answers so for mails whose names begin with "bad", and takes the others.
func bad(r reply) func(string) reply {
	return func(id string) reply {
		if strings.HasPrefix(id, "bad") {
			return r
		}
		return takes
	}
}

// always answers so for every mail.
func always(r reply) func(string) reply { return func(string) reply { return r } }

// spoiledBy lets questions fail that name a mail.
func spoiledBy(id string) func(context.Context, []mailbox.Query) error {
	return func(_ context.Context, queries []mailbox.Query) error {
		for _, q := range queries {
			if q.MessageID == id+"@x" {
				return &mailbox.Error{Op: "search", Class: mailbox.Rejected, Text: "NO what?"}
			}
		}
		return nil
	}
}
