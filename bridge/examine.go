package bridge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"covebridge/bridge/finding"
	"covebridge/bridge/status"
)

const (
	megabyte    = 1_000_000
	fullBelow   = 50 * megabyte  // a batch of mails, and the log that tells of it
	warnBelow   = 500 * megabyte // days of mails
	lateBeyond  = time.Hour      // for the median mail, or three polls
	settledDown = 2 * time.Hour  // after a start, which makes up for what was missed
)

// examine looks for what is wrong with the whole: the disks, what waits, how
// late mails come.
func (b *Bridge) examine(ctx context.Context) {
	b.examineDisks()
	s, err := b.Status(ctx)
	if err != nil {
		return // tell says so
	}
	why, remedy, on := s.Backlog.Stuck(s.At)
	b.condition(status.Stuck, "", on, why, remedy)
	why, remedy, on = s.Stopped.All()
	b.condition(status.Filtered, "", on, why, remedy)
	limit := max(lateBeyond, 3*b.Interval)
	b.condition(late, "", s.Lag.Recent > limit && b.Now().Sub(b.self.started) > settledDown,
		fmt.Sprintf("half of those of the last hour came more than %s after their backups' ends", s.Lag.Recent.Round(time.Minute)),
		"are polls or deliveries slow (the log tells), or does Cove tell late of what ended?")
	err = errors.Join(b.heartbeat(ctx, s), b.digests(ctx, s.At))
	b.condition(heartless, "", err != nil && ctx.Err() == nil, fmt.Sprint(err), "is the ledger writable, and are the mail templates right? `covebridge check` tells")
	if b.Told != nil {
		b.Told(s)
	}
}

// examineDisks looks whether there is room for what comes, where there is least.
func (b *Bridge) examineDisks() {
	least, where := uint64(math.MaxUint64), ""
	for _, folder := range b.Disks {
		if bytes, err := b.Free(folder); err == nil && bytes < least { // else what is written there will say so
			least, where = bytes, folder
		}
	}
	why := fmt.Sprintf("%d MB are free in %s", least/megabyte, where)
	const remedy = "free some space; nothing is lost, and covebridge goes on by itself"
	b.condition(diskFull, "", least < fullBelow, why, remedy)
	b.condition(diskFilling, "", least >= fullBelow && least < warnBelow, why, remedy)
}

// condition raises a finding, of an account or of the whole (""), or clears it.
func (b *Bridge) condition(kind finding.Kind, account string, on bool, why, remedy string) {
	c := b.Findings.Condition(kind, account)
	if on {
		c.Raise(why, remedy)
	} else {
		c.Clear()
	}
}
