// Package endtoend runs the built program between a simulated Cove and real
// mailboxes, and compares the mails with what the simulator says has happened.
package endtoend

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"covebridge/bridge/covesim"
	"covebridge/bridge/message"
	gocmp "github.com/google/go-cmp/cmp"
)

// story is what a mail tells, or must tell, of a run.
type story struct {
	Job      string
	Status   string
	End      time.Time
	Sessions []string // of each its status, Cove's number and its start, sorted
}

// window is the configuration's run_window.
const window = 10 * time.Minute

// finished gives the runs that ended after since and are ready at now, by their
// names: what the design says of sessions and runs, once more.
func finished(truth []covesim.Session, since, now time.Time) map[string]story {
	byDevice := map[int64][]covesim.Session{}
	for _, s := range truth {
		byDevice[s.DeviceID] = append(byDevice[s.DeviceID], s)
	}
	runs := map[string]story{}
	for id, sessions := range byDevice {
		slices.SortFunc(sessions, func(a, b covesim.Session) int {
			return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Source, b.Source))
		})
		var run []covesim.Session
		tell := func(ready bool) {
			end := latestEnd(run)
			if len(run) > 0 && !end.IsZero() && end.After(since) && (ready || now.After(end.Add(window))) {
				runs[fmt.Sprintf("cove-%d-%s", id, run[0].Start.UTC().Format("20060102T150405Z"))] = storyOf(run, end)
			}
		}
		for _, s := range sessions {
			end := latestEnd(run)
			again := slices.ContainsFunc(run, func(r covesim.Session) bool { return r.Source == s.Source })
			if again || !end.IsZero() && s.Start.After(end.Add(window)) {
				tell(true)
				run = nil
			}
			run = append(run, s)
		}
		tell(false)
	}
	return runs
}

// latestEnd is zero while one of the sessions runs.
func latestEnd(run []covesim.Session) (end time.Time) {
	for _, s := range run {
		if s.End.IsZero() {
			return time.Time{}
		}
		if s.End.After(end) {
			end = s.End
		}
	}
	return end
}

func storyOf(run []covesim.Session, end time.Time) story {
	st := story{Job: run[0].Device, Status: "Success", End: end.UTC().Truncate(time.Second)}
	for _, s := range run {
		status := outcome(s)
		if worse := []string{"Success", "Warning", "Failed"}; slices.Index(worse, status) > slices.Index(worse, st.Status) {
			st.Status = status
		}
		st.Sessions = append(st.Sessions, fmt.Sprintf("%s (%d), %s", status, s.Status, s.Start.UTC().Format(time.DateTime)))
	}
	slices.Sort(st.Sessions)
	return st
}

// outcome is the status that the design gives to a number of Cove's.
func outcome(s covesim.Session) string {
	switch s.Status {
	case 5:
		if s.ErrorsCount > 0 {
			return "Warning"
		}
		return "Success"
	case 2, 3, 6, 7, 10, 13:
		return "Failed"
	default:
		return "Warning"
	}
}

var (
	object = regexp.MustCompile(`(?m)^Object \d+ of \d+: (\w+) - .*(?:\n  Result: (.*))?`)
	// numberAndStart are not known of every session.
	numberAndStart = regexp.MustCompile(`\(?\d+\)?, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)
)

// read gives a mail's run and what it tells of it.
func read(raw []byte) (run string, st story, err error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return "", st, err
	}
	content, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		return "", st, err
	}
	if st.End, err = m.Header.Date(); err != nil {
		return "", st, err
	}
	st.End = st.End.UTC()
	line := func(key string) string {
		_, after, _ := strings.Cut("\n"+content.Text, "\n"+key+": ")
		value, _, _ := strings.Cut(after, "\n")
		return value
	}
	run, st.Job, st.Status = m.Header.Get("X-Cove-Run"), line("Job name"), line("Status")
	if header := m.Header.Get("X-Cove-Status"); header != st.Status || run != line("Run") {
		return run, st, fmt.Errorf("headers tell %s of %s, the text %s of %s", header, run, st.Status, line("Run"))
	}
	for _, o := range object.FindAllStringSubmatch(content.Text, -1) {
		st.Sessions = append(st.Sessions, o[1]+" "+numberAndStart.FindString(o[2]))
	}
	slices.Sort(st.Sessions)
	return run, st, nil
}

// agree compares mails with what the simulator says has happened: each run that
// ended after since is told of in exactly one mail, as it was.
func agree(sim *covesim.Sim, since time.Time, mails [][]byte) error {
	got := map[string]story{}
	for _, m := range mails {
		run, st, err := read(m)
		if err != nil {
			return fmt.Errorf("mail of %s: %w", run, err)
		}
		if _, twice := got[run]; twice {
			return fmt.Errorf("%s came twice", run)
		}
		got[run] = st
	}
	want := finished(sim.Truth(), since, sim.Now())
	if len(want) < 30 {
		return fmt.Errorf("only %d runs have finished: that proves nothing", len(want))
	}
	for _, t := range sim.RecoveryTests(since, sim.Now()) {
		run := fmt.Sprintf("cove-%d-%s-recovery-test", t.DeviceID, t.End.UTC().Format("20060102T150405Z"))
		st := got[run] // bridge's tests judge how each went
		st.Job, st.End = t.Device+" recovery test", t.End.UTC().Truncate(time.Second)
		want[run] = st
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		return fmt.Errorf("mails (+) differ from what happened (-):\n%s", diff)
	}
	return nil
}

// judge is run by Python: it gives, for each mail of a folder, its defects and
// what the parser rule (the first argument) reads in it.
const judge = `
import email, email.policy, glob, json, runpy, sys
rule = runpy.run_path(sys.argv[1])
found = {}
for path in glob.glob(sys.argv[2] + "/*.eml"):
    with open(path, "rb") as file:
        mail = email.message_from_binary_file(file, policy=email.policy.default)
    bodies = {kind: mail.get_body((kind,)).get_content() for kind in ("html", "plain")}
    result = rule["parse"](str(mail["From"]), str(mail["Subject"]), bodies["html"], bodies["plain"])
    defects = [str(d) for part in mail.walk() for d in part.defects]
    defects += [str(d) for h in mail.values() for d in getattr(h, "defects", ())]
    found[str(mail["X-Cove-Run"])] = {"defects": defects, "result": result}
json.dump(found, sys.stdout)
`

// readByBackupchecks checks that Python finds no defect in the mails, and that
// the parser rule reads what they tell.
func readByBackupchecks(rule, folder string) error {
	cmd := exec.Command("python3", "-B", "-c", judge, rule, folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("python: %w", err)
	}
	var found map[string]struct {
		Defects []string
		Result  *struct {
			Job     string `json:"job_name"`
			Status  string `json:"overall_status"`
			Objects []struct{ Status, Message string }
		}
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return err
	}
	files, _ := filepath.Glob(folder + "/*.eml")
	if len(files) == 0 || len(found) != len(files) {
		return fmt.Errorf("the rule read %d of %d mails", len(found), len(files))
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		run, want, err := read(raw)
		if err != nil {
			return err
		}
		f := found[run]
		if len(f.Defects) > 0 || f.Result == nil {
			return fmt.Errorf("%s: defects %q, result %v", file, f.Defects, f.Result)
		}
		got := story{Job: f.Result.Job, Status: f.Result.Status, End: want.End}
		for _, o := range f.Result.Objects {
			got.Sessions = append(got.Sessions, o.Status+" "+numberAndStart.FindString(o.Message))
		}
		slices.Sort(got.Sessions)
		if diff := gocmp.Diff(want, got); diff != "" {
			return fmt.Errorf("%s: the rule reads (+) what was not told (-):\n%s", file, diff)
		}
	}
	return nil
}
