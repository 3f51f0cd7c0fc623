package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/collect"
	"covebridge/bridge/config"
)

// The time left follows the pace of late, not the slow start.
func TestPace(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	var p etaEstimator
	if got := p.remaining(100); got != 0 {
		t.Errorf("left %v though nothing is known", got)
	}
	for range 60 { // a minute for the first device
		now = now.Add(time.Second)
		p.add(now, 0)
	}
	done := int64(0)
	for range 40 {
		now, done = now.Add(time.Second), done+2
		p.add(now, done)
	}
	if got := p.remaining(100); got != 10*time.Second {
		t.Errorf("left %v, want 10s", got)
	}
	p.add(now.Add(time.Minute), done) // it hangs: ever more is left
	if got := p.remaining(100); got <= 10*time.Second && got != 0 {
		t.Errorf("left %v", got)
	}
}

// Nothing is silent for longer than two seconds, wherever it writes and however
// long it takes.
func TestProgressLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var errs locked
		a := &app{errs: &errs}
		p := a.progress("devices", "asking Cove")
		time.Sleep(2100 * time.Millisecond)
		p.update(collect.Progress{Account: "a", Done: 0, Total: 30})
		p.update(collect.Progress{Account: "b", Done: 0, Total: 10})
		for done := int64(1); done <= 15; done++ {
			time.Sleep(time.Second)
			p.update(collect.Progress{Account: "a", Done: done, Total: 30, Runs: done / 5})
			p.update(collect.Progress{Account: "a", Done: done - 1, Total: 30}) // overtaken
		}
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
		if len(lines) != 8 || lines[0] != "asking Cove … 2s" {
			t.Fatalf("got %q", lines)
		}
		for range 1800 {
			before := errs.String()
			time.Sleep(2 * time.Second)
			if synctest.Wait(); errs.String() == before {
				t.Fatalf("silent for two seconds, %s after the beginning", time.Since(p.began))
			}
		}
		p.end()
		p.end()
		for _, line := range lines[2:] {
			if !regexp.MustCompile(`^\d+ of 40 devices(, \d mails?)?, about \d+ (seconds|minutes?) left$`).MatchString(line) {
				t.Errorf("got %q", line)
			}
		}
	})
}

// What is waited for is told of as long as it lasts, and what takes no time is not.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var errs bytes.Buffer
		a := &app{errs: &errs}
		done := a.spinner("opening the ledger")
		time.Sleep(5 * time.Second)
		done()
		a.spinner("saying nothing")()
		time.Sleep(time.Minute)
		if want := "opening the ledger … 2s\nopening the ledger … 4s\n"; errs.String() != want {
			t.Errorf("got %q", errs.String())
		}
	})
}

// Whoever wants to hear of trouble only, as in a crontab, hears of nothing else.
func TestProgressIsLogged(t *testing.T) {
	for level, want := range map[string]string{"warn": "", "info": `"msg":"asking Cove … 2s"`} {
		synctest.Test(t, func(t *testing.T) {
			var errs bytes.Buffer
			a := &app{errs: &errs}
			a.logger(config.Log{Level: level, Format: "json"})
			p := a.progress("devices", "asking Cove")
			time.Sleep(2100 * time.Millisecond)
			p.end()
			if got := errs.String(); want == "" && got != "" || !strings.Contains(got, want) {
				t.Errorf("at level %s: %q", level, got)
			}
		})
	}
}
