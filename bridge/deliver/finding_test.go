package deliver

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/backup"
)

// A disk that is full is told of once an hour, however many mails wait.
func TestFullDisk(t *testing.T) {
	for _, op := range []string{"take", "begin", "record"} {
		t.Run(op, func(t *testing.T) {
			with(t, func(r *rig) {
				r.Deliverer = r.deliverer(r.out, 4)
				r.store.put("d", 200, backup.Failed)
				r.out.setFault(func(_ context.Context, o string) error {
					if o == op || o == "record" {
						return errDisk
					}
					return nil
				})
				stop := r.start()
				time.Sleep(2*time.Hour + 30*time.Minute)
				lines := r.log.alarms()
				if len(lines) != 3 || !strings.Contains(lines[0], "disk is full") || !strings.Contains(lines[2], "times=") {
					t.Errorf("got %q", lines)
				}
				if f := r.Findings(); len(f) != 1 || !strings.Contains(f[0].Why, "disk is full") || time.Since(f[0].Since) != 150*time.Minute {
					t.Errorf("got %+v", f)
				}
				if n := r.out.called(op); n > 4*(150+20) {
					t.Errorf("tried %d times", n)
				}
				r.out.setFault(nil)
				time.Sleep(2 * time.Minute)
				r.want("d", 200)
				r.wantStates(200, 0, 0, 0)
				if len(r.log.with("over: the outbox")) != 1 || len(r.Findings()) > 0 {
					t.Errorf("not over: %+v", r.Findings())
				}
				stop()
			})
		})
	}
}

// What comes and goes is told of once in ten minutes, and not lost if it stays.
func TestTroubleThatComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		trouble := NewTrouble(slog.New(slog.NewTextHandler(&log, nil)), "it rains")
		for range 3600 / 4 {
			trouble.Failed("a cloud", "")
			time.Sleep(2 * time.Second)
			trouble.Passed()
			if _, on := trouble.Finding(); on {
				t.Fatal("it is over")
			}
			time.Sleep(2 * time.Second)
		}
		if n := len(log.with("it rains")); n < 10 || n > 13 {
			t.Errorf("%d lines in an hour", n)
		}
		before := len(log.with("level=ERROR")) + len(log.with("level=WARN"))
		for range 9 {
			trouble.Failed("another cloud", "umbrella")
			time.Sleep(5 * time.Minute)
		}
		told := append(log.with("level=ERROR"), log.with("level=WARN")...)
		if len(told) != before+1 {
			t.Errorf("%d lines", len(told)-before)
		}
		if f, on := trouble.Finding(); !on || f.Why != "another cloud" || f.Remedy != "umbrella" || time.Since(f.Since) != 45*time.Minute {
			t.Errorf("got %+v", f)
		}
	})
}
