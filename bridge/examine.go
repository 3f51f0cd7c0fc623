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
	megabyte     = 1_000_000
	minFree      = 50 * megabyte  // a batch of mails, and the log that tells of it
	warnFree     = 500 * megabyte // days of mails
	maxLag       = time.Hour      // for the median mail, or three polls
	startupGrace = 2 * time.Hour  // after a start, which makes up for what was missed
)

// examine looks for what is wrong with the whole: the disks, what waits, how
// late mails come.
func (b *Bridge) examine(ctx context.Context) {
	b.examineDisks()
	s, err := b.Status(ctx)
	if err != nil {
		return // publish says so
	}
	why, remedy, on := s.Backlog.Stuck(s.At)
	b.setFinding(status.Stuck, "", on, why, remedy)
	why, remedy, on = s.Stopped.All()
	b.setFinding(status.Filtered, "", on, why, remedy)
	limit := max(maxLag, 3*b.Interval)
	b.setFinding(mailsLate, "", s.Lag.Recent > limit && b.Now().Sub(b.self.started) > startupGrace,
		fmt.Sprintf("half of those of the last hour came more than %s after their backups' ends", s.Lag.Recent.Round(time.Minute)),
		"are polls or deliveries slow (the log tells), or does Cove tell late of what ended?")
	err = errors.Join(b.heartbeat(ctx, s), b.digests(ctx, s.At))
	b.setFinding(heartbeatFailing, "", err != nil && ctx.Err() == nil, fmt.Sprint(err), "is the ledger writable, and are the mail templates right? `covebridge check` tells")
	if b.OnStatus != nil {
		b.OnStatus(s)
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
	b.setFinding(diskFull, "", least < minFree, why, remedy)
	b.setFinding(diskFilling, "", least >= minFree && least < warnFree, why, remedy)
}

// setFinding raises a finding, of an account or of the whole (""), or clears it.
func (b *Bridge) setFinding(kind finding.Kind, account string, raised bool, why, remedy string) {
	c := b.Findings.Condition(kind, account)
	if raised {
		c.Raise(why, remedy)
	} else {
		c.Clear()
	}
}
