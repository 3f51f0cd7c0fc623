package collect_test

import (
	"errors"
	"strings"
	"testing"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/message"
)

// What can't be rendered is recorded with its cause, and can be made later.
func TestUnrenderable(t *testing.T) {
	broken := true
	w := newWorld(t, func(o *collect.Options) { o.Renderer = renderer{o.Renderer, &broken} })
	w.device("1", "Files 01:00-01:30")
	w.until("01:15")
	p := w.until("01:45")
	if len(w.entries) != 1 || w.entries[0].State != backup.EntryFailed || !strings.Contains(w.entries[0].Reason, "no paper") || len(w.entries[0].Mail) != 0 {
		t.Fatalf("got %+v", w.entries)
	}
	if p.Failed != 1 || p.Cause == nil || !strings.Contains(p.Cause.Error(), "no paper") {
		t.Errorf("the poll told of %d, %v", p.Failed, p.Cause)
	}
	e := w.entries[0]
	if err := w.Rerender(&e); err == nil {
		t.Error("made without paper")
	}
	broken = false
	if err := w.Rerender(&e); err != nil || len(e.Mail) == 0 {
		t.Errorf("%d bytes, %v", len(e.Mail), err)
	}
}

type renderer struct {
	collect.Renderer
	broken *bool
}

func (r renderer) Render(run backup.Run) (message.Mail, error) {
	if *r.broken {
		return message.Mail{}, errors.New("no paper")
	}
	return r.Renderer.Render(run)
}

// A device whose mail can't be made is on record with the cause, the others go
// on, and once the cause is gone its mail can be made.
func TestPoisonedDevice(t *testing.T) {
	name := `{{if eq .Device.Name "srv1"}}{{index .Device.CustomerPath 7}}{{end}}{{.Device.Name}}`
	w := newWorld(t, func(o *collect.Options) {
		job, err := collect.NewJob(name)
		if err != nil {
			t.Fatal(err)
		}
		o.Job = job
	})
	w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30")
	w.device("2", "Files 01:00-01:30")
	w.until("04:00")
	w.want("Success srv2")
	var failed []backup.Entry
	for _, e := range w.entries {
		if e.State == backup.EntryFailed {
			failed = append(failed, e)
		}
	}
	if len(failed) != 2 || !strings.Contains(failed[0].Reason, "job.name") {
		t.Fatalf("got %+v", failed)
	}
	if err := w.Rerender(&failed[0]); err == nil {
		t.Error("made though its name can't be made")
	}
	name = "{{.Device.Name}}"
	w.restart()
	if err := w.Rerender(&failed[0]); err != nil || failed[0].Run.Job != "srv1" || len(failed[0].Mail) == 0 {
		t.Errorf("job %q, %d bytes: %v", failed[0].Run.Job, len(failed[0].Mail), err)
	}
}
