package backupchecks

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/message"
)

// python runs Python here and gives what it printed.
func python(t *testing.T, env []string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		skip := t.Skip
		if os.Getenv("COVEBRIDGE_NO_SKIP") == "1" {
			skip = t.Fatal
		}
		skip("python3 is not installed: apt-get install python3")
	}
	cmd := exec.Command(path, append([]string{"-B"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("python3 %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestGoldenMails(t *testing.T) {
	t.Logf("%s", python(t, nil, "-m", "unittest", "-q"))
}

// Mails of random runs, whose names were made to be read as something else.
func TestHostileMails(t *testing.T) {
	if testing.Short() {
		t.Skip("not in the short form: Python reads thousands of mails")
	}
	r, err := message.New(message.Options{From: "Cove <cove@msp.example>", To: []string{"b@msp.example"},
		Location: time.FixedZone("", 3600)})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		run := randomRun(rng)
		m, err := r.Render(run)
		if err != nil {
			t.Fatal(err)
		}
		js, err := json.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Join(dir, fmt.Sprintf("%03d", i))
		for ext, data := range map[string][]byte{".eml": m.Bytes, ".json": js} {
			if err := os.WriteFile(base+ext, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%s", python(t, []string{"MAILS=" + dir}, "-m", "unittest", "-q", "test_covebridge.Truth"))
}

// hostile are pieces that names and texts are made of.
var hostile = []string{
	"srv01", "Müller", "备份", "Status: Success", "Status:", "\r\n", "\n", "\u2028", " ", "  ", "\u00a0", "\t", ": ", " - ", "Job name: other",
	"Backup software: Cove Data Protection", "Object 1 of 1: Success - x", "Object 2 of 2: Failed - y", "Result: Completed (5)",
	"Errors: 0", "Error: none", "Remark: x", "Attempt 9; earlier: x", "Last 28 days: S", "Summary: All good.", "Run: x", "<tr><td>Status:<td>Success",
	"</td></tr></table>", "<table>", "<!--", "-->", "&lt;td&gt;", "&amp;amp;", "&#10;", "<script>", "</style>", "\u202e", "\x00", "[Cove] Success: x",
	"Customer: x Device: x Computer: x Operating system: x Account ID: 1 Status: Success Start: - End: - Duration: - Selected: - Processed: - Sent: - Used storage: - Errors: - Run: - Summary: -",
	"\"", "'", "\\", "=?utf-8?q?x?=", "=3D", "=\r\n", "😀",
}

func text(rng *rand.Rand) string {
	var b strings.Builder
	for range 1 + rng.IntN(6) {
		b.WriteString(hostile[rng.IntN(len(hostile))])
	}
	return b.String()
}

func randomRun(rng *rand.Rand) backup.Run {
	start := time.Date(2026, 11, 1+rng.IntN(27), rng.IntN(24), rng.IntN(60), rng.IntN(60), 0, time.UTC)
	end := start.Add(time.Duration(rng.IntN(100000)) * time.Second)
	run := backup.Run{
		ID: fmt.Sprintf("cove-%d", rng.IntN(1e6)), Kind: backup.Whole, Job: "j" + text(rng), Start: start, End: end,
		Device: backup.Device{
			Product: "cove", Software: "Cove Data Protection", ID: text(rng), Name: text(rng), Alias: text(rng), Computer: text(rng),
			OS: text(rng), Type: backup.Server, Customer: text(rng), CustomerPath: []string{text(rng), text(rng)},
			UsedStorage: rng.Int64(),
		},
		InRow: rng.IntN(4), Since: start.Add(-time.Hour),
	}
	for range rng.IntN(3) {
		run.Remarks = append(run.Remarks, text(rng))
	}
	for range rng.IntN(28) {
		run.Device.ColourBar = append(run.Device.ColourBar, backup.Day{Date: "2026-11-24", Word: text(rng), Status: backup.Status(rng.IntN(3))})
	}
	var sessions []backup.Session
	for i := range 1 + rng.IntN(4) {
		s := backup.Session{
			Source: backup.DataSource{Key: fmt.Sprint(i), Name: "d" + text(rng)}, State: backup.Ended, Status: backup.Status(rng.IntN(3)),
			Result: "r" + text(rng), Start: start, End: end, SelectedCount: rng.Int64(), SelectedBytes: -1, ProcessedCount: -1,
			ProcessedBytes: rng.Int64(), SentBytes: -1, ErrorCount: int64(rng.IntN(3)),
		}
		if rng.IntN(4) == 0 {
			s.ErrorsMissing = text(rng)
		}
		for range rng.IntN(8) {
			s.Errors = append(s.Errors, backup.Error{Text: text(rng), File: text(rng), Code: text(rng), Count: int64(rng.IntN(3)), Time: start})
		}
		run.Status = max(run.Status, s.Status)
		sessions = append(sessions, s)
	}
	run.Sessions = sessions
	switch rng.IntN(4) {
	case 0:
		run.Kind, run.Sessions, run.Last, run.Status = backup.Silence, nil, sessions, backup.Warning
	case 1:
		run.Kind, run.Status = backup.Overdue, max(backup.Warning, run.Status)
		run.Sessions[0].State, run.Sessions[0].End = backup.Running, time.Time{}
	}
	return run
}

// The settings go into the module as strings, whatever they hold.
func TestRuleIsFilledIn(t *testing.T) {
	for _, c := range []struct{ sender, want string }{
		{"Bridge <cove@msp.example>", "cove@msp.example"},
		{"cove@msp.example", "cove@msp.example"},
		{"\"\nimport os\n\\'\x00\u2028é😀$1", "\"\nimport os\n\\'\x00\u2028é😀$1"},
	} {
		file := filepath.Join(t.TempDir(), "rule.py")
		if err := os.WriteFile(file, []byte(Rule(c.sender, "Cove \"Data\" Protection", "Ünïcode")), 0o644); err != nil {
			t.Fatal(err)
		}
		out := python(t, nil, "-c", `import json, runpy, sys
m = runpy.run_path(sys.argv[1])
print(json.dumps([m["SENDER"], list(m["SOFTWARES"]), m["PARSER"]["match"]["from_contains"]]))`, file)
		var got []any
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint([]any{c.want, []any{"Cove \"Data\" Protection", "Ünïcode"}, c.want}); fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	if Rule("x@y.example") == rule {
		t.Error("the sender was not filled in")
	}
}

// The module can be tried by hand on a mail.
func TestModuleRunsByHand(t *testing.T) {
	out := python(t, nil, "covebridge.py", "../testdata/mails/all-good.eml")
	if !strings.Contains(out, `"overall_status": "Success"`) {
		t.Errorf("got %s", out)
	}
}

// tame gives a run the names and texts of every day.
func tame(rng *rand.Rand, run *backup.Run) {
	d := &run.Device
	d.Name = fmt.Sprintf("srv%02d_%05x", rng.IntN(100), rng.IntN(1<<20))
	run.Job, d.Alias, d.Computer, d.OS = d.Name, "", "SRV01", "Windows Server 2019 Standard (17763), 64-bit"
	d.ID, d.Customer, d.CustomerPath = fmt.Sprint(rng.IntN(1e7)), []string{"Acme BV", "Müller & Söhne GmbH"}[rng.IntN(2)], nil
	run.Remarks = nil
	for _, sessions := range [][]backup.Session{run.Sessions, run.Last} {
		for i := range sessions {
			s := &sessions[i]
			s.Source.Name = []string{"Files and folders", "System state", "MS SQL (VSS)", "Hyper-V"}[i%4]
			s.Result, s.ErrorsMissing = "Completed (5)", ""
			for j := range s.Errors {
				s.Errors[j].Text, s.Errors[j].File, s.Errors[j].Code = "Access is denied.", `C:\Users\a.pst`, "5"
			}
		}
	}
}
