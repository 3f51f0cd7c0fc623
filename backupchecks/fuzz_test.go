package backupchecks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"covebridge/bridge/message"
)

// Mails of generated runs, half of them with names made to be read as something
// else, each in three body forms, whole and damaged on the way: nothing that is
// claimed is wrong, and what is whole is claimed. COVEBRIDGE_RUNS sets how many;
// the long form is 100,000.
func TestFuzzedMails(t *testing.T) {
	python(t, nil, "-c", "") // or skip
	runs := 200
	if n, err := strconv.Atoi(os.Getenv("COVEBRIDGE_RUNS")); err == nil {
		runs = n
	}
	seed := uint64(runs)
	r, err := message.New(message.Options{From: "Cove <cove@msp.example>", To: []string{"b@msp.example"},
		Location: time.FixedZone("", 3600)})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", "-B", "fuzz.py", fmt.Sprint(seed))
	var out, told bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &told
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 3))
	for i := range runs {
		run := randomRun(rng)
		if i%2 == 0 {
			tame(rng, &run)
		}
		m, err := r.Render(run)
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(map[string]any{"run": run, "mail": string(m.Bytes)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write(append(line, '\n')); err != nil {
			break // it ended; Wait tells why
		}
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("fuzz.py: %v\n%s", err, tail(told.Bytes()))
	}
	var got map[string]int
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", out.Bytes())
	if got["runs"] != runs || got["wrong"] > 0 || got["missed"]*1000 > got["due"] {
		t.Errorf("%s%s", out.Bytes(), tail(told.Bytes()))
	}
	// A rule that claims nothing is never wrong.
	if got["damaged, claimed"]*3 < got["damaged"] {
		t.Errorf("of %d damaged mails only %d are claimed", got["damaged"], got["damaged, claimed"])
	}
}

func tail(b []byte) []byte { return b[max(len(b)-8000, 0):] }
