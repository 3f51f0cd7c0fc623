package message

import (
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// The run's own day tells at least how the run ended, even where the product has
// no word for the day yet; a worse one of the product's stands.
func TestOwnDay(t *testing.T) {
	for _, c := range []struct {
		word string
		day  backup.Status
		run  backup.Status
		want string
	}{
		{"", backup.Success, backup.Success, "[S]"},
		{"", backup.Success, backup.Failed, "[F]"},
		{"Completed", backup.Success, backup.Warning, "[W]"},
		{"Failed", backup.Failed, backup.Success, "[F]"},
	} {
		run := samples()[0]
		run.Sessions = run.Sessions[:1]
		run.Sessions[0].Status, run.Status = c.run, c.run
		run.Device.ColourBar = []backup.Day{{Date: run.Start.Add(-24 * time.Hour).Format(time.DateOnly)}, {Date: run.Start.Format(time.DateOnly), Word: c.word, Status: c.day}}
		m, err := renderer(t).Render(run)
		if err != nil {
			t.Fatal(err)
		}
		if text := parse(t, m.Bytes).text; !strings.Contains(text, "."+c.want) {
			t.Errorf("%q, %v, a run with %v: not %q in\n%s", c.word, c.day, c.run, c.want, text)
		}
	}
}
