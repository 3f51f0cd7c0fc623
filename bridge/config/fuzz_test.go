package config

import (
	"strings"
	"testing"

	"covebridge"
)

// FuzzParse: whatever the file holds, there is a configuration that keeps its
// promises, or an error in which each problem names the file and the value of
// a variable does not show.
func FuzzParse(f *testing.F) {
	f.Add(covebridge.ExampleConfig)
	f.Add(full())
	f.Add([]byte(good))
	f.Add([]byte("a: &a [*a]\ncove: *a\n"))
	f.Add([]byte("cove: {<<: [*x]}\n? [a]\n: b\n"))
	f.Add([]byte("poll: {interval: \"${HUNTER}\"}\nmail: {from: \"${HUNTER}\", timezone: \"${HUNTER}\"}\njob: {name: \"${HUNTER}\"}"))
	env := environment("HUNTER", "hunter2", "COVE_PASSWORD", "a", "IMAP_PASSWORD", "b")
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("config.yaml", data, env)
		if err == nil {
			if len(c.Cove) == 0 || len(c.Secrets()) == 0 || len(c.Mail.To) == 0 || c.Poll.Interval <= 0 {
				t.Errorf("accepted: %+v", c)
			}
			return
		}
		for _, line := range strings.Split(err.Error(), "\n") {
			if !strings.HasPrefix(line, "config.yaml:") {
				t.Errorf("a line without its place: %q in %q", line, err)
			}
		}
		if strings.Contains(err.Error(), "hunter2") && !strings.Contains(string(data), "hunter2") {
			t.Errorf("a secret shows: %s", err)
		}
	})
}
