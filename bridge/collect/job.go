package collect

import (
	"regexp"
	"strings"
	"text/template"
	"unicode"

	"covebridge/bridge/backup"
	"covebridge/bridge/message"
)

// Job names the job that the reader knows a device by.
type Job struct{ template *template.Template }

// NewJob reads the name's template, as "{{.Device.Name}}". It may use what is
// in backup.Run under Device; a job's name must never change, so use what lasts.
func NewJob(text string) (Job, error) {
	t, err := template.New("job.name").Option("missingkey=error").Parse(text)
	if err != nil {
		return Job{}, jobError{err}
	}
	j := Job{t}
	if _, err := j.Name(backup.Run{Device: backup.Device{Name: "x"}}); err != nil {
		return Job{}, jobError{err}
	}
	return j, nil
}

// jobError says in plain words what is wrong with the template.
type jobError struct{ error }

var jobPlace = regexp.MustCompile(`^template: job\.name:\d+(?::\d+)?: `)

func (e jobError) Error() string {
	return "job.name: " + message.Explain(jobPlace.ReplaceAllString(e.error.Error(), ""), backup.Run{}, nil)
}

func (e jobError) Unwrap() error { return e.error }

// Name is the run's job: one line, never empty. Recovery tests are a job of
// their own; and where each data source makes runs of its own, it is part of the
// name.
func (j Job) Name(r backup.Run) (string, error) {
	var b strings.Builder
	if err := j.template.Execute(&b, r); err != nil {
		return "", err
	}
	name := oneLine(b.String())
	if name == "" {
		name = oneLine(r.Device.Name)
	}
	if name == "" {
		name = r.Device.ID
	}
	if r.Kind == backup.Recovery {
		name += " recovery test"
	}
	if r.Source != nil {
		name += " / " + oneLine(r.Source.Name)
	}
	return name, nil
}

// oneLine makes a name from outside fit for a line: no control characters, no
// runs of spaces.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	}), " ")
}
