package cove

import (
	"fmt"
	"strings"
	"testing"

	"covebridge/bridge/backup"
	"covebridge/bridge/config"
)

func TestStatus(t *testing.T) {
	var c Client
	for _, test := range []struct {
		told   string
		errors int64
		result string
		state  backup.State
		want   backup.Status
	}{
		{"5", 0, "Completed (5)", backup.Ended, backup.Success},
		{"5", 1, "Completed (5)", backup.Ended, backup.Warning},
		{"Completed", 0, "Completed (5)", backup.Ended, backup.Success},
		{"8", 0, "CompletedWithErrors (8)", backup.Ended, backup.Warning},
		{"Completed With Errors", 0, "CompletedWithErrors (8)", backup.Ended, backup.Warning},
		{"11", 0, "NoSelection (11)", backup.Ended, backup.Warning},
		{"2", 0, "Failed (2)", backup.Ended, backup.Failed},
		{"3", 0, "Aborted (3)", backup.Ended, backup.Failed},
		{"6", 0, "Interrupted (6)", backup.Ended, backup.Failed},
		{"NOTSTARTED", 0, "NotStarted (7)", backup.Ended, backup.Failed},
		{"10", 0, "OverQuota (10)", backup.Ended, backup.Failed},
		{"13", 0, "Blocked (13)", backup.Ended, backup.Failed},
		{"4", 0, "Unknown (4)", backup.Ended, backup.Warning},
		{"42", 0, "Unknown status 42", backup.Ended, backup.Warning},
		{"-1", 0, "Unknown status -1", backup.Ended, backup.Warning},
		{"Paused", 0, "Unknown status Paused", backup.Ended, backup.Warning},
		{"1", 0, "InProcess (1)", backup.Running, backup.Warning},
		{"InProgress", 0, "InProcess (1)", backup.Running, backup.Warning},
		{"9", 0, "InProgressWithFaults (9)", backup.Running, backup.Warning},
		{"12", 0, "Restarted (12)", backup.Restarted, backup.Warning},
	} {
		st := value{test.told, true}.status()
		if st.none() || st.String() != test.result || st.state() != test.state || c.outcome(st, test.errors) != test.want {
			t.Errorf("%s: %v %v %v, want %v", test.told, st, st.state(), c.outcome(st, test.errors), test)
		}
	}
	for _, none := range []value{{"0", true}, {}, {"", true}, {"None", true}} {
		if st := none.status(); !st.none() {
			t.Errorf("%v is %v", none, st)
		}
	}
}

func TestStatusMap(t *testing.T) {
	c := New(Options{StatusMap: map[string]backup.Status{
		"8": backup.Success, "aborted": backup.Warning, "42": backup.Failed, "Paused": backup.Success, "5": backup.Success,
	}})
	for told, want := range map[string]backup.Status{
		"8": backup.Success, "CompletedWithErrors": backup.Success, "3": backup.Warning, "42": backup.Failed, "paused": backup.Success,
		"5": backup.Success, "2": backup.Failed, "43": backup.Warning,
	} {
		if got := c.outcome(value{told, true}.status(), 3); got != want {
			t.Errorf("%s is %v, want %v", told, got, want)
		}
	}
}

// Of two keys for one status the same counts every time, and odd spellings of
// a number are the number.
func TestStatusMapIsNotRandom(t *testing.T) {
	for range 100 {
		c := New(Options{StatusMap: map[string]backup.Status{
			"8": backup.Success, "CompletedWithErrors": backup.Failed, "completed with errors": backup.Warning, "011": backup.Failed, "+10": backup.Warning,
		}})
		for number, want := range map[int64]backup.Status{8: backup.Success, 11: backup.Failed, 10: backup.Warning} {
			if got := c.outcome(status{number: number}, 1); got != want {
				t.Fatalf("%d is %v, want %v", number, got, want)
			}
		}
	}
}

// The configuration, which knows nothing of Cove, checks job.status_map by a
// table of its own: it has each word, with its number, or refuses both for a
// session that goes on.
func TestConfigurationKnowsTheStatuses(t *testing.T) {
	parse := func(keys string) string {
		text := "cove: [{name: msp, username: u, password: p}]\nmail: {from: a@b.example, to: [c@d.example]}\ndelivery: {directory: mails}\njob: {status_map: {" + keys + "}}\n"
		if _, err := config.Parse("config.yaml", []byte(text), config.Env{}); err != nil {
			return err.Error()
		}
		return ""
	}
	for number, word := range statusWords {
		for _, key := range []string{word, fmt.Sprint(number)} {
			got := parse(key + ": Failed")
			if over := (status{number: number}).state() == backup.Ended; over && got != "" || !over && !strings.Contains(got, "the session goes on") {
				t.Errorf("job.status_map.%s: %q", key, got)
			}
		}
		if got := parse(fmt.Sprintf("%s: Failed, %d: Failed", word, number)); got == "" {
			t.Errorf("%s and %d are taken for two statuses", word, number)
		}
	}
}
