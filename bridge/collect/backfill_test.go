package collect_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
)

func (w *world) backfill(span collect.Span) (int, error) {
	return w.Backfill(context.Background(), span, func(collect.Progress) {})
}

// A run that began before the span, and ended in it, is sent whole, however long
// it took, within reason.
func TestBackfillCutsNoRun(t *testing.T) {
	for lines, want := range map[string]string{
		"System 31:00-34:05\nFiles 34:10-34:30":                  "acme-1-20261124T070000Z",
		"System 06:00-10:55\nBig 11:00-33:55\nFiles 34:02-34:30": "acme-1-20261123T060000Z",
	} {
		w := newWorld(t, nil)
		// Statistics tell of these alone.
		w.device("1", lines+"\nSystem 100:00-100:10\nBig 100:00-100:10\nFiles 100:00-100:10")
		w.advanceBoth(w.at("200:00").Sub(w.now))
		span := collect.Span{Since: w.at("34:00"), Until: w.at("60:00"), DryRun: true}
		if n, err := w.backfill(span); n != 1 || err != nil { // of a device that no poll has seen yet
			t.Errorf("%d would be sent: %v", n, err)
		}
		span.DryRun = false
		if n, err := w.backfill(span); n != 1 || err != nil || !slices.Equal(w.mails(), []string{want}) {
			t.Errorf("%d were sent, %q: %v", n, w.mails(), err)
		}
	}
}

// A device that two accounts see is sent by the one that owns it.
func TestBackfillOfTwoAccounts(t *testing.T) {
	second := newProduct("second")
	w := newWorld(t, func(o *collect.Options) { o.Sources = append(o.Sources, second) })
	d := w.device("1", "Files 34:10-34:30")
	second.devices, second.truth["1"] = []backup.Device{d}, w.truth["1"]
	w.advanceBoth(w.at("200:00").Sub(w.now))
	second.advance(200 * time.Hour)
	w.poll()
	span := collect.Span{Since: w.at("34:00"), Until: w.at("60:00"), DryRun: true}
	if n, err := w.backfill(span); n != 1 || err != nil {
		t.Errorf("%d would be sent: %v", n, err)
	}
}

// Each account's devices are counted from none to all, and the runs found with
// them: the poll before came to all of them, too.
func TestBackfillTells(t *testing.T) {
	second := newProduct("second")
	w := newWorld(t, func(o *collect.Options) { o.Sources = append(o.Sources, second) })
	w.device("1", "Files 34:10-34:30\nFiles 44:10-44:30")
	d := w.device("2", "Files 35:10-35:30")
	second.devices, second.truth["2"] = w.devices[1:], w.truth["2"]
	w.devices = w.devices[:1]
	w.advanceBoth(w.at("200:00").Sub(w.now))
	second.advance(200 * time.Hour)
	var told []collect.Progress
	span := collect.Span{Since: w.at("34:00"), Until: w.at("60:00"), Devices: collect.Globs{Include: []string{"srv1", d.Name}}}
	if _, err := w.Backfill(t.Context(), span, func(p collect.Progress) { told = append(told, p) }); err != nil {
		t.Fatal(err)
	}
	first, other := w.Sources[0].Name(), second.Name()
	want := []collect.Progress{{Account: first, Total: 1}, {first, 1, 1, 2}, {Account: other, Total: 1}, {other, 1, 1, 1}}
	if !slices.Equal(told, want) {
		t.Errorf("got %+v, want %+v", told, want)
	}
}

// What is on record as old and can't be queued is told, with its cause.
func TestBackfillFails(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 20:00-20:10")
	w.jump("72:00")
	w.stuck = errors.New("disk on fire")
	span := collect.Span{Since: w.at("10:00"), Until: w.at("60:00")}
	if _, err := w.backfill(span); !errors.Is(err, w.stuck) {
		t.Errorf("got %v", err)
	}
	w.stuck = nil
	if n, err := w.backfill(span); n != 1 || err != nil {
		t.Errorf("%d were sent: %v", n, err)
	}
}

func TestSpanCheck(t *testing.T) {
	for pattern, good := range map[string]bool{"*": true, "[x": false, "": false} {
		for _, span := range []collect.Span{{Customers: collect.Globs{Include: []string{pattern}}}, {Devices: collect.Globs{Exclude: []string{pattern}}}} {
			if err := span.Check(); (err == nil) != good {
				t.Errorf("%q: %v", pattern, err)
			}
		}
	}
}

// A backfill queues what was never sent, once however often it is asked for,
// with its error texts; a partial row changes no type.
func TestBackfill(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 00:10-00:20\nFiles 20:00-20:10 Failed\nFiles 71:00-71:10")
	w.device("2", "Mail 20:00-20:10 Warning")
	w.devices[1].Type = backup.Microsoft365
	w.jump("72:00")
	w.want("Success srv1")
	w.devices[1].Type = ""
	span := collect.Span{Since: w.at("10:00"), Until: w.at("60:00"), DryRun: true}
	told := 0
	var last collect.Progress
	backfill := func() int {
		t.Helper()
		n, err := w.Backfill(context.Background(), span, func(p collect.Progress) { told, last = told+1, p })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := backfill(); n != 2 {
		t.Errorf("%d would be sent, want 2", n)
	}
	w.want("Success srv1")
	for _, narrow := range []collect.Span{
		{Customers: collect.Globs{Include: []string{"acme"}}}, {Devices: collect.Globs{Include: []string{"SRV3"}}},
		{Devices: collect.Globs{Exclude: []string{"srv*"}}}, {Since: w.at("30:00")}, {Until: w.at("20:00")},
	} {
		whole := span
		span.Customers, span.Devices = narrow.Customers, narrow.Devices
		if !narrow.Since.IsZero() {
			span.Since = narrow.Since
		}
		if !narrow.Until.IsZero() {
			span.Until = narrow.Until
		}
		if n := backfill(); n != 0 {
			t.Errorf("%d would be sent of %+v", n, narrow)
		}
		span = whole
	}
	span.Devices.Include = []string{"srv2"}
	if n := backfill(); n != 1 {
		t.Errorf("%d would be sent of one device, want 1", n)
	}
	span.Devices.Include, span.DryRun, told = nil, false, 0
	if n := backfill(); n != 2 || told != 3 {
		t.Errorf("%d were sent, want 2; told %d times, want 3", n, told)
	}
	if want := (collect.Progress{Account: "acme", Done: 2, Total: 2, Runs: 2}); last != want {
		t.Errorf("told %+v at last", last)
	}
	w.want("Success srv1", "Failed srv1", "Warning srv2")
	span.Until = time.Time{}
	if n := backfill(); n != 0 {
		t.Errorf("%d were sent by the second backfill", n)
	}
	if text := w.text("acme-1-20261123T200000Z"); !strings.Contains(text, "disk on fire in 1-1") {
		t.Error(text)
	}
	if text := w.text("acme-2-20261123T200000Z"); !strings.Contains(text, "Backup type: Microsoft 365") {
		t.Error(text)
	}
	w.until("80:00")
	w.want("Success srv1", "Failed srv1", "Warning srv2")
}

// A backfill of more than 60 days sends all that is asked for.
func TestLongBackfill(t *testing.T) {
	w := newWorld(t, func(o *collect.Options) { o.Baseline = 90 * 24 * time.Hour })
	w.device("1", "Files 100:00-100:30\nFiles 1900:00-1900:30")
	w.jump("2000:00")
	w.want("Success srv1", "Success srv1")
}
