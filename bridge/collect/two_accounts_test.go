package collect_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
)

// A device that two accounts see is mailed once, by the first of them; when that
// one shows it no more, by the other.
func TestTwoAccounts(t *testing.T) {
	second := newProduct("second")
	w := newWorld(t, func(o *collect.Options) { o.Sources = append(o.Sources, second) })
	d := w.device("1", "Files 01:00-01:30\nFiles 30:00-30:10 Failed")
	second.devices = []backup.Device{d}
	second.truth["1"] = w.truth["1"]
	both := func(until string) {
		t.Helper()
		for w.now.Before(w.at(until)) {
			w.advanceBoth(15 * time.Minute)
			second.advance(15 * time.Minute)
			w.poll()
			if _, err := w.Poll(context.Background(), second, false, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	both("02:00")
	w.want("Success srv1")
	if second.asked["1"] != 0 {
		t.Error("both accounts worked on it")
	}
	w.devices = nil // moved out of the first account's sight
	both("40:00")
	w.want("Success srv1", "Failed srv1")
	if e := w.queued(); e[0].Account != "acme" || e[1].Account != "second" {
		t.Errorf("accounts %q and %q", e[0].Account, e[1].Account)
	}
}

// The account that comes first in the configuration takes a device over from
// one that comes later and still sees it.
func TestFirstAccountOwns(t *testing.T) {
	second := newProduct("second")
	w := newWorld(t, func(o *collect.Options) { o.Sources = append(o.Sources, second) })
	d := w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30")
	second.devices, second.truth["1"], w.devices = []backup.Device{d}, w.truth["1"], nil
	for w.now.Before(w.at("04:00")) {
		w.advanceBoth(15 * time.Minute)
		second.advance(15 * time.Minute)
		if w.now.Equal(w.at("02:00")) {
			w.devices = second.devices
		}
		if _, err := w.Poll(context.Background(), second, false, false); err != nil {
			t.Fatal(err)
		}
		w.poll()
	}
	w.want("Success srv1", "Success srv1")
	if e := w.queued(); e[0].Account != "second" || e[1].Account != "acme" {
		t.Errorf("accounts %q and %q", e[0].Account, e[1].Account)
	}
}

// One account that hangs holds up no other.
func TestAccountsApart(t *testing.T) {
	second := newProduct("second")
	w := newWorld(t, func(o *collect.Options) { o.Sources = append(o.Sources, second) })
	for i := range 20 {
		w.device(fmt.Sprint(i), "Files 01:00-01:30")
		second.devices = append(second.devices, backup.Device{Product: "acme", Software: "Acme Backup", ID: fmt.Sprint(1000 + i), Name: fmt.Sprint("x", i), Type: backup.Server})
		second.truth[fmt.Sprint(1000+i)] = w.truth["0"]
	}
	w.advanceBoth(2 * time.Hour)
	second.advance(2 * time.Hour)
	w.hang = make(chan struct{})
	ended := make(chan struct{})
	go func() { w.Poll(context.Background(), w.product, false, false); close(ended) }()
	if _, err := w.Poll(context.Background(), second, false, false); err != nil {
		t.Fatal(err)
	}
	if n := len(w.queued()); n != 20 {
		t.Errorf("%d of 20 mails while the first account hangs", n)
	}
	close(w.hang)
	<-ended
	if n := len(w.queued()); n != 40 {
		t.Errorf("%d of 40 mails", n)
	}
}
