package deliver

import (
	"context"
	"strings"
	"testing"
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
				if f := r.Findings.Current(); len(f) != 1 || !strings.Contains(f[0].Why, "disk is full") || time.Since(f[0].Since) != 150*time.Minute {
					t.Errorf("got %+v", f)
				}
				if n := r.out.called(op); n > 4*(150+20) {
					t.Errorf("tried %d times", n)
				}
				r.out.setFault(nil)
				time.Sleep(2 * time.Minute)
				r.want("d", 200)
				r.wantStates(200, 0, 0, 0)
				if len(r.log.with("over: the outbox")) != 1 || len(r.Findings.Current()) > 0 {
					t.Errorf("not over: %+v", r.Findings.Current())
				}
				stop()
			})
		})
	}
}
