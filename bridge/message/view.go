package message

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"

	"covebridge/bridge/backup"
)

// View is what a template sees. text.tmpl documents it for those who write
// their own. Every text in it is cleaned: on one line and of bounded length.
type View struct {
	Run      backup.Run
	Totals   backup.Totals
	Brand    string // the product in one word: "Cove"
	Colour   string // of the run's status
	Head     []Line
	Summary  string
	Objects  []Object
	Remarks  []string
	Attempts string // "Attempt 3; earlier: 02:00 Failed, 04:00 Failed"; empty: the first
	Days     []Day  // oldest first, today last
	Today    string // date of the last of Days
}

// Line is one piece of the mail that can be found by its key.
type Line struct{ Key, Value string }

// Object is one data source of the run.
type Object struct {
	Number, Total int
	Name          string
	Status        backup.Status
	Colour        string
	Lines         []Line
	Errors        []string // the most telling first
}

// Day is one cell of the colour bar.
type Day struct {
	backup.Day
	Sign   string // S, W or F; "." where there was no session
	Colour string
	Today  bool
}

var colours = [...]string{backup.Success: "#9d9", backup.Warning: "#fc6", backup.Failed: "#f99"}

// view prepares a cleaned run for the templates.
func (c clock) view(r backup.Run) View {
	v := View{
		Run:      r,
		Totals:   r.Totals(),
		Brand:    brand(r.Device),
		Colour:   colours[r.Status],
		Remarks:  r.Remarks,
		Attempts: c.attempts(r),
	}
	v.Head = c.head(r, v.Totals)
	v.Objects = c.objects(r)
	v.Head = append(v.Head, Line{"Checksum", checksum(v)})
	v.Summary = c.summary(r)
	for i, d := range r.Device.ColourBar {
		day := Day{Day: d, Sign: ".", Colour: "#ddd", Today: i == len(r.Device.ColourBar)-1}
		if d.Word != "" && d.Status >= backup.Success && d.Status <= backup.Failed {
			day.Sign, day.Colour = d.Status.String()[:1], colours[d.Status]
		}
		v.Days = append(v.Days, day)
		v.Today = d.Date
	}
	return v
}

// brand is the first word of the software's name, letters and digits only.
func brand(d backup.Device) string {
	for _, name := range []string{d.Software, d.Product} {
		word, _, _ := strings.Cut(name, " ")
		word = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return -1
		}, word)
		if word != "" {
			return cut(word, 20)
		}
	}
	return "Backup"
}

// head is the run as a whole. Keys and their order are part of the interface
// to the reader: see backupchecks/.
func (c clock) head(r backup.Run, t backup.Totals) []Line {
	d := r.Device
	prev := backup.Totals{SelectedBytes: backup.Unknown, SentBytes: backup.Unknown, UsedStorage: backup.Unknown}
	if r.Previous != nil {
		prev = *r.Previous
	}
	name := d.Name
	if d.Alias != "" && d.Alias != d.Name {
		name += " (" + d.Alias + ")"
	}
	end, took := c.full(r.End), none
	if !r.Start.IsZero() && !r.End.IsZero() {
		took = duration(r.Duration())
	}
	if r.Kind == backup.Overdue {
		end = none // when it was found out is no end
	}
	errors := count(t.ErrorCount)
	if r.Kind == backup.Silence || r.Kind == backup.LongSilence {
		errors, took = none, span(r.Duration())
	}
	lines := []Line{
		{"Backup software", d.Software},
		{"Backup type", r.Type()},
		{"Job name", r.Job},
		{"Customer", d.Customer},
	}
	if len(d.CustomerPath) > 1 {
		lines = append(lines, Line{"Customer path", strings.Join(d.CustomerPath, " > ")})
	}
	lines = append(lines, []Line{
		{"Device", name},
		{"Computer", d.Computer},
		{"Operating system", d.OS},
		{"Account ID", d.ID},
		{"Status", r.Status.String()},
		{"Start", c.full(r.Start)},
		{"End", end},
		{"Duration", took},
		{"Selected", amount(t.SelectedBytes, prev.SelectedBytes, t.SelectedCount)},
		{"Processed", amount(t.ProcessedBytes, backup.Unknown, t.ProcessedCount)},
		{"Sent", amount(t.SentBytes, prev.SentBytes, backup.Unknown)},
		{"Used storage", amount(t.UsedStorage, prev.UsedStorage, backup.Unknown)},
		{"Errors", errors},
		{"Run", r.ID},
	}...)
	for i := range lines {
		lines[i].Value = cmp.Or(lines[i].Value, none)
	}
	return lines
}

// amount writes "12.3 GB (+1.2 GB) in 1,234 items", as far as known.
func amount(bytes, before, items int64) string {
	s := ""
	if bytes >= 0 {
		s = size(bytes)
		if by := change(bytes, before); by != "" {
			s += " (" + by + ")"
		}
	}
	if items >= 0 {
		if s != "" {
			s += " in "
		}
		s += count(items) + " items"
	}
	return s
}

// attempts says how often the run was tried before.
func (c clock) attempts(r backup.Run) string {
	if r.Attempt < 2 {
		return ""
	}
	s := fmt.Sprintf("Attempt %d", r.Attempt)
	var earlier []string
	for _, a := range r.Earlier {
		earlier = append(earlier, c.near(a.Start, cmp.Or(r.Start, r.End, time.Time{}), "15:04")+" "+a.Status.String())
	}
	if len(earlier) == 0 {
		return s
	}
	if n := len(earlier); n > 20 {
		earlier = append([]string{"…"}, earlier[n-20:]...)
	}
	return s + "; earlier: " + strings.Join(earlier, ", ")
}
