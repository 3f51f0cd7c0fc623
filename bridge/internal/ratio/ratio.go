// Package ratio compares benchmarks with a baseline measured in the same run,
// so that the figure holds whatever machine it was measured on.
package ratio

import (
	"slices"
	"testing"
	"time"
)

// Of runs do as a benchmark and reports how many times as long it takes as the
// baseline, the median of eleven runs of which is measured before and after.
func Of(b *testing.B, name string, baseline, do func()) {
	b.Helper()
	b.ReportAllocs()
	before := median(baseline)
	for b.Loop() {
		do()
	}
	each := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(2*float64(each)/float64(before+median(baseline)), "x/"+name)
}

func median(do func()) time.Duration {
	var times []time.Duration
	for range 11 {
		start := time.Now()
		do()
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	return max(times[len(times)/2], 1)
}
