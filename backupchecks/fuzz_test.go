package backupchecks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"covebridge/bridge/message"
)

// Mails of generated runs, half of them with names made to be read as something
// else, each in three body forms, whole and damaged on the way: nothing that is
// claimed is wrong, and what is whole is claimed. Each run follows from its
// number alone, so that one which failed can be read again by itself.
func TestTortureFuzzedMails(t *testing.T) {
	python(t, nil, "-c", "") // or skip
	runs, batch := 200, 50
	if os.Getenv("COVEBRIDGE_TORTURE") == "1" {
		runs, batch = 100_000, 1000
	}
	var mu sync.Mutex
	sum := make(map[string]int)
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0)) // Python uses one core
	for from := 0; from < runs; from += batch {
		workers.Go(func() error {
			got, err := fuzz(t, from, from+batch)
			mu.Lock()
			defer mu.Unlock()
			for what, n := range got {
				sum[what] += n
			}
			return err
		})
	}
	if err := workers.Wait(); err != nil {
		t.Error(err)
	}
	t.Log(sum)
	if sum["runs"] != runs || sum["wrong"] > 0 || sum["missed"]*1000 > sum["due"] {
		t.Error("wrong or missed")
	}
	// A rule that claims nothing is never wrong.
	if sum["damaged, claimed"]*3 < sum["damaged"] {
		t.Errorf("of %d damaged mails only %d are claimed", sum["damaged"], sum["damaged, claimed"])
	}
}

// fuzz lets fuzz.py read the mails of some runs, and gives its figures. It logs
// those that were read wrong or missed.
func fuzz(t *testing.T, from, to int) (figures map[string]int, err error) {
	r, err := message.New(message.Options{From: "Cove <cove@msp.example>", To: []string{"b@msp.example"},
		Location: time.FixedZone("", 3600)})
	if err != nil {
		return nil, err
	}
	var mails, out, told bytes.Buffer
	for i := from; i < to; i++ {
		rng := rand.New(rand.NewPCG(uint64(i), 3))
		run := randomRun(rng)
		if i%2 == 0 {
			tame(rng, &run)
		}
		m, err := r.Render(run)
		if err != nil {
			return nil, err
		}
		line, err := json.Marshal(map[string]any{"number": i, "run": run, "mail": string(m.Bytes)})
		if err != nil {
			return nil, err
		}
		mails.Write(append(line, '\n'))
	}
	cmd := exec.Command("python3", "-B", "fuzz.py")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &mails, &out, &told
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("fuzz.py: %w\n%s", err, tail(told.Bytes()))
	}
	if err := json.Unmarshal(out.Bytes(), &figures); err != nil {
		return nil, fmt.Errorf("fuzz.py: %w", err)
	}
	if told.Len() > 0 {
		t.Logf("of runs %d to %d:\n%s", from, to, tail(told.Bytes()))
	}
	return figures, nil
}

func tail(b []byte) []byte { return b[max(len(b)-8000, 0):] }
