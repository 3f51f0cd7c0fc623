package ledger

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// beside does something while another bridge's transaction stands open: it waits
// for that one, or is done beforehand. exec is that transaction's.
func beside(t *testing.T, l *Ledger, before func(exec func(string, ...any)), do func() error, after func(exec func(string, ...any))) error {
	t.Helper()
	tx, err := l.writer.db.BeginTx(t.Context(), nil)
	must(t, err)
	defer tx.Rollback()
	exec := func(query string, args ...any) {
		t.Helper()
		_, err := tx.ExecContext(t.Context(), query, args...)
		must(t, err)
	}
	before(exec)
	done := make(chan error, 1)
	go func() { done <- do() }()
	for waits := 0; waits == 0 && len(done) == 0; time.Sleep(5 * time.Millisecond) {
		must(t, l.reader.db.QueryRowContext(t.Context(),
			"SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waits))
	}
	after(exec)
	must(t, tx.Commit())
	return <-done
}

func nothing(func(string, ...any)) {}

// A bridge whose lease another takes over while it records an outcome decides
// nothing any more.
func TestRecordBesideTakeover(t *testing.T) {
	l := postgresPlace(t).open(t)
	e := entry(device(1), time.Hour, backup.Success)
	commit(t, l, e)
	take(t, l, 1)
	begin(t, l, e.Run.ID, "1:1")
	err := beside(t, l, func(exec func(string, ...any)) {
		exec("UPDATE queues SET owner = 'another' WHERE device = $1", e.Run.Device.Key())
	}, func() error {
		return l.Record(t.Context(), []backup.Outcome{failed(e.Run.ID, "550 no")})
	}, nothing)
	must(t, err)
	if e := get(t, l, e.Run.ID); e.State != backup.EntrySending {
		t.Errorf("it is %s", e.State)
	}
}

// A mail that another bridge records as sent is not given up beside it.
func TestRecordBesideReceipt(t *testing.T) {
	l := postgresPlace(t).open(t)
	e := entry(device(1), time.Hour, backup.Success)
	commit(t, l, e)
	take(t, l, 1)
	err := beside(t, l, func(exec func(string, ...any)) {
		exec("UPDATE entries SET state = 'sent', receipt = 'theirs' WHERE id = $1", e.Run.ID)
	}, func() error {
		return l.Record(t.Context(), []backup.Outcome{failed(e.Run.ID, "550 no")})
	}, nothing)
	must(t, err)
	if e := get(t, l, e.Run.ID); e.State != backup.EntrySent || e.Receipt != "theirs" {
		t.Errorf("it is %s, %q", e.State, e.Receipt)
	}
}

// What is begun to be sent meanwhile is not resent.
func TestResendBesideBegin(t *testing.T) {
	l := postgresPlace(t).open(t)
	e := entry(device(1), time.Hour, backup.Success)
	commit(t, l, e)
	err := beside(t, l, func(exec func(string, ...any)) {
		exec("UPDATE entries SET state = 'sending' WHERE id = $1", e.Run.ID)
	}, func() error { return l.Resend(t.Context(), e) }, nothing)
	if !errors.Is(err, ErrWaiting) {
		t.Errorf("resent: %v", err)
	}
}

// Everybody locks a device's queue before its entries, so that no two wait for
// each other.
func TestResendBesideRecord(t *testing.T) {
	l := postgresPlace(t).open(t)
	e := entry(device(1), time.Hour, backup.Success)
	commit(t, l, e)
	must(t, beside(t, l, func(exec func(string, ...any)) {
		exec("SELECT 1 FROM queues WHERE device = $1 FOR UPDATE", e.Run.Device.Key())
	}, func() error { return l.Resend(t.Context(), e) }, func(exec func(string, ...any)) {
		exec("SELECT 1 FROM entries WHERE id = $1 FOR UPDATE", e.Run.ID)
	}))
}

// What is resent while old mails are dropped keeps its mail.
func TestPruneBesideResend(t *testing.T) {
	l := postgresPlace(t).open(t)
	e := entry(device(1), time.Hour, backup.Success)
	commit(t, l, e)
	take(t, l, 1)
	record(t, l, sent(e.Run.ID, "1:1"))
	must(t, beside(t, l, func(exec func(string, ...any)) {
		exec("UPDATE entries SET state = 'queued', settled = 0 WHERE id = $1", e.Run.ID)
	}, func() error { return l.Prune(t.Context(), time.Now().Add(time.Hour)) }, nothing))
	if e := get(t, l, e.Run.ID); len(e.Mail) == 0 {
		t.Error("its mail was dropped")
	}
}

// A bridge that takes mails waits for no other.
func TestTakeBesideTake(t *testing.T) {
	l := postgresPlace(t).open(t)
	one, two := entry(device(1), time.Hour, backup.Success), entry(device(2), time.Hour, backup.Success)
	commit(t, l, one, two)
	l.sql(t, "UPDATE queues SET due = 1")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var ids []string
	must(t, beside(t, l, func(exec func(string, ...any)) {
		exec("UPDATE queues SET owner = 'another' WHERE device = $1", one.Run.Device.Key())
	}, func() error {
		taken, err := l.Take(ctx, 2)
		for _, e := range taken {
			ids = append(ids, e.Run.ID)
		}
		return err
	}, nothing))
	if !slices.Equal(ids, []string{two.Run.ID}) {
		t.Errorf("took %v", ids)
	}
}
