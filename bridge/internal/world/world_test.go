package world

import (
	"flag"
	"io"
	"os"
	"runtime/debug"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

var logs = flag.Bool("logs", false, "print the bridges' logs, and what is known of each device in the end")

// seeds is how many worlds the short form draws.
var seeds = "300"

// Whatever happens in a world, each session that ended is told of in exactly
// one mail, with its status, job and type, and nothing false is. The short form
// draws the same worlds each time, the long one others.
func TestTortureWorld(t *testing.T) {
	worlds := map[string]string{"rapid.seed": "20261124", "rapid.checks": seeds}
	if os.Getenv("COVEBRIDGE_TORTURE") == "1" {
		worlds = map[string]string{"rapid.checks": "20000"}
	}
	if testing.Short() {
		worlds["rapid.checks"] = "30"
	}
	for name, value := range worlds {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			if err := flag.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Little of what a world makes outlasts it: to collect it often is a seventh of the work.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	if err := Template(); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := Draw(rt)
		log := io.Discard
		if *logs {
			log = os.Stderr
		}
		problems := run(t, p, log)
		if len(problems) > 0 {
			rt.Logf("%s", p)
		}
		for _, problem := range problems {
			rt.Error(problem)
		}
	})
}

// run carries a plan out with its files in memory where that is to be had.
func run(t *testing.T, p Plan, log io.Writer) (problems []string) {
	t.Helper()
	shm := "/dev/shm"
	if _, err := os.Stat(shm); err != nil {
		shm = ""
	}
	dir, err := os.MkdirTemp(shm, "covebridge-world")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	synctest.Test(t, func(*testing.T) { problems = p.Run(dir, log) })
	return problems
}
