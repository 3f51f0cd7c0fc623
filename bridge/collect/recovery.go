package collect

import (
	"context"

	"covebridge/bridge/backup"
)

// RecoveryTester is a Source whose product tries whether devices can be restored.
type RecoveryTester interface {
	// RecoveryTests gives each device's newest test that is over. An account
	// that makes none has none: that is no error.
	RecoveryTests(context.Context) ([]backup.RecoveryTest, error)
}

// readTests asks for recovery tests, once a sweep for the whole account. What
// can't be read now is read by the next sweep: nothing is lost but a test that
// another one of its device followed meanwhile.
func (p *poll) readTests(ctx context.Context) {
	src, ok := p.src.(RecoveryTester)
	if !ok || !p.Recovery {
		return
	}
	all, err := src.RecoveryTests(ctx)
	p.result.TestsErr = err
	p.tests = map[string][]backup.RecoveryTest{}
	for _, t := range all { // what was read before a failure is good
		p.tests[t.Device] = append(p.tests[t.Device], t)
	}
}

// testKey names the tests of which only the newest is to be told.
type testKey struct{ device, way string }

// hasNewTests tells whether some of a device's tests may not be in the outbox yet.
// What another account's device is tested for is told by that account.
func (r *roster) hasNewTests(account string, tests []backup.RecoveryTest) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range tests {
		e, known := r.devices[t.Device]
		if known && r.names[e.account] == account && t.End.After(r.lastTests[testKey{t.Device, t.Way.Key}]) {
			return true
		}
	}
	return false
}

// noteTests notes which tests a device's journal, as committed, has told of.
func (r *roster) noteTests(tests []backup.RecoveryTest, j *backup.Journal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range tests {
		if j.Recovered(t) {
			r.lastTests[testKey{t.Device, t.Way.Key}] = j.Tests[t.Way.Key]
		}
	}
}
