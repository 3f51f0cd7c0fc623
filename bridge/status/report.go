package status

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"covebridge/bridge/finding"
	"covebridge/bridge/ledger"
)

// Report is what one bridge tells of itself.
type Report struct {
	Bridge   Bridge            `json:"bridge"`
	Accounts []Account         `json:"accounts"`
	Findings []finding.Finding `json:"findings"`
}

// Publish stores the report in the ledger, in the place of the bridge's last.
func Publish(ctx context.Context, l *ledger.Ledger, r Report) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return l.PutReport(ctx, string(text))
}

// reports reads what the bridges told, the newest first. own takes the place of
// what this process told.
func reports(ctx context.Context, l *ledger.Ledger, now time.Time, own *Report) (all []Report, err error) {
	told, err := l.Bridges(ctx)
	if own != nil {
		own.Bridge.Seen = now
		all = append(all, *own)
	}
	for _, t := range told {
		if own != nil && t.Owner == l.Owner() {
			continue
		}
		var r Report
		if err := json.Unmarshal([]byte(t.Text), &r); err != nil {
			return all, fmt.Errorf("what bridge %s told: %w", t.Owner, err)
		}
		r.Bridge.Seen = t.Seen
		all = append(all, r)
	}
	return all, err
}
