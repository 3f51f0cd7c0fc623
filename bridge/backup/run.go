package backup

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

// Kind tells what a mail is about.
type Kind string

const (
	// Whole: a run that ended, with its result.
	Whole Kind = "run"
	// Overdue: a run that was still unfinished after max_wait, with what is known of it.
	Overdue Kind = "overdue"
	// Silence: a device that has not finished a session for too long.
	Silence Kind = "silence"
	// LongSilence: the same device at three times the limit.
	LongSilence Kind = "long-silence"
	// Recovery: a recovery test of the device, with its result.
	Recovery Kind = "recovery-test"
	// Heartbeat: how the bridge itself is. Its sessions are what it looks after.
	Heartbeat Kind = "heartbeat"
	// Digest: those of a customer's jobs that need attention; they are its sessions.
	Digest Kind = "digest"
)

// Run is the sessions of one device that belong together: one run, one mail.
type Run struct {
	ID     string `json:"id"` // see Identity; never changes
	Kind   Kind   `json:"kind"`
	Job    string `json:"job"` // what Backupchecks knows the device by
	Device Device `json:"device"`
	// Source is set where each data source makes runs of its own.
	Source *DataSource `json:"source,omitempty"`
	// Sessions, in the order of their starts, without restarted ones that
	// another replaced. Empty for Silence.
	Sessions []Session `json:"sessions,omitempty"`
	// Replaced holds the restarted sessions that others took the place of.
	Replaced []Session `json:"-"`

	Status Status    `json:"status"`
	Start  time.Time `json:"start"`        // start of the first session; for Silence, the end of the last one known
	End    time.Time `json:"end,omitzero"` // latest end; for Overdue and Silence, when it was found out

	// InRow counts the runs without success, one behind the other, up to this one,
	// which began with that at Since; 0: it is a success, or no Whole run.
	InRow int       `json:"in_row,omitempty"`
	Since time.Time `json:"since,omitzero"`
	// Good is when each data source that did not succeed did so last, the
	// oldest first; those of which that is not known come before all others.
	Good     []Good    `json:"good,omitempty"`
	Previous *Totals   `json:"previous,omitempty"` // of the run before; nil where not known
	Remarks  []string  `json:"remarks,omitempty"`  // sentences for the reader
	Limit    Duration  `json:"limit,omitempty"`    // for Silence and Overdue: the limit that was passed
	Last     []Session `json:"last,omitempty"`     // for Silence: the newest session of each data source
	// Recovered is set for Recovery, whose Sessions are the test's parts and
	// whose Source is the way of recovery, where it is not the ordinary one.
	Recovered *Recovered `json:"recovered,omitempty"`
}

// Duration is a time.Duration that JSON holds as nanoseconds.
type Duration = time.Duration

// Good is the last success of a data source.
type Good struct {
	Source DataSource `json:"source"`
	End    time.Time  `json:"end,omitzero"` // zero: not known, or never
}

// Totals are the sums over a run's sessions; Unknown where no session tells.
type Totals struct {
	SelectedCount  int64 `json:"selected_count"`
	SelectedBytes  int64 `json:"selected_bytes"`
	ProcessedCount int64 `json:"processed_count"`
	ProcessedBytes int64 `json:"processed_bytes"`
	SentBytes      int64 `json:"sent_bytes"`
	ErrorCount     int64 `json:"error_count"`
	UsedStorage    int64 `json:"used_storage"` // the device's, when the run was mailed
}

// Identity names a run for good, from nothing but the device, the data source
// (where each makes runs of its own) and the start of its first session. Runs
// that are not Whole carry their kind as well, so that the run's own result
// can still come.
//
// It holds letters, digits, '_', '%' and '-' only, so that it can stand in
// a Message-ID (RFC 5322 section 3.2.3, dot-atom) and in a file's name.
func Identity(d Device, source *DataSource, start time.Time, kind Kind) string {
	id := d.Key() + "-"
	if source != nil {
		id += escape(source.Key) + "-"
	}
	id += start.UTC().Format("20060102T150405Z")
	if kind != Whole {
		id += "-" + string(kind)
	}
	return id
}

// Key names the device within all products: "cove-1234567".
func (d Device) Key() string { return escape(d.Product) + "-" + escape(d.ID) }

// escape keeps what may stand in an identity and writes the rest as %XX. What
// is too long for a name is told apart by its hash.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() > 64 {
		return fmt.Sprintf("%x", sha256.Sum256([]byte(s)))
	}
	return b.String()
}

// Totals sums up the run's sessions.
func (r Run) Totals() Totals {
	t := Totals{Unknown, Unknown, Unknown, Unknown, Unknown, 0, r.Device.UsedStorage}
	for _, s := range r.Sessions {
		add(&t.SelectedCount, s.SelectedCount)
		add(&t.SelectedBytes, s.SelectedBytes)
		add(&t.ProcessedCount, s.ProcessedCount)
		add(&t.ProcessedBytes, s.ProcessedBytes)
		add(&t.SentBytes, s.SentBytes)
		// The count is unreliable: where there are error texts, it is at least theirs.
		var told int64
		for _, e := range s.Errors {
			told += max(e.Count, 1)
		}
		t.ErrorCount += max(s.ErrorCount, told, 0)
	}
	return t
}

// add sums up known values, and stops at the top instead of wrapping around.
func add(sum *int64, v int64) {
	if v < 0 {
		return
	}
	*sum = max(*sum, 0)
	if *sum += v; *sum < 0 {
		*sum = 1<<63 - 1
	}
}

// Duration is how long the run took, from its first start to its last end.
func (r Run) Duration() time.Duration { return max(r.End.Sub(r.Start), 0) }
