package bridge_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"covebridge/bridge/internal/ratio"
)

// A poll in which nothing changed, beside one in which each of 500 devices has
// a new run: a quiet fleet has to be cheap.
func BenchmarkQuietPoll(b *testing.B) {
	w := newWorld(b, nil)
	const devices, runs = 500, 60
	for id := range devices {
		var lines []string
		for hour := range runs {
			lines = append(lines, fmt.Sprintf("Files %d:00-%d:10", hour+1, hour+1))
		}
		w.device(fmt.Sprint(1000+id), strings.Join(lines, "\n"))
	}
	hour := 0
	w.until("00:30")
	ratio.Of(b, "busy", func() {
		hour++
		w.until(fmt.Sprintf("%d:30", hour))
	}, func() {
		if _, err := w.Once(context.Background()); err != nil {
			b.Fatal(err)
		}
	})
}
