package ledger

import (
	"context"
	"sync"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// BenchmarkPrune drops the mails of 20,000 sent runs while another writer has
// something small to write all the time: how long it is kept waiting at most,
// beside how long it is without the pruning.
func BenchmarkPrune(b *testing.B) {
	for name, place := range map[string]func(testing.TB) place{"sqlite": sqlitePlace, "postgres": postgresPlace} {
		b.Run(name, func(b *testing.B) {
			const runs, batch = 20_000, 256
			l := place(b).open(b)
			n := 0
			for b.Loop() {
				for range (runs + batch - 1) / batch {
					steps := make([]backup.Step, batch)
					for i := range steps {
						steps[i] = real(b, n)
						n++
					}
					_, err := l.Commit(b.Context(), steps)
					must(b, err)
				}
				l.sql(b, "UPDATE entries SET state = 'sent', settled = 1 WHERE settled = 0")
				alone := longestWrite(b, l, func() { time.Sleep(time.Second) })
				beside := longestWrite(b, l, func() { must(b, l.Prune(b.Context(), time.Now())) })
				b.ReportMetric(float64(alone.Microseconds())/1000, "ms-longest-write-alone")
				b.ReportMetric(float64(beside.Microseconds())/1000, "ms-longest-write-beside")
			}
		})
	}
}

// longestWrite is how long the longest small write took while work was done.
func longestWrite(b *testing.B, l *Ledger, work func()) (longest time.Duration) {
	ctx, stop := context.WithCancel(b.Context())
	var writing sync.WaitGroup
	writing.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			must(b, l.SetValue(b.Context(), "bench", began.String()))
			longest = max(longest, time.Since(began))
		}
	})
	work()
	stop()
	writing.Wait()
	return longest
}
