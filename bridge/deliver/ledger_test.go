package deliver

import (
	"context"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// A drain ends though nothing can be recorded: the next start asks for what was
// begun.
func TestDrainAtAFullDisk(t *testing.T) {
	with(t, func(r *rig) {
		r.Deliverer = r.deliverer(r.out, 2)
		r.store.put("d", 20, backup.Failed)
		r.out.setFault(func(_ context.Context, op string) error {
			if op == "record" {
				return errDisk
			}
			return nil
		})
		began := time.Now()
		r.Drain(context.Background())
		if took := time.Since(began); took != drainRecordLimit {
			t.Errorf("the drain took %s", took)
		}
	})
}
