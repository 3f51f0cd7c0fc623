package message

import (
	"cmp"
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
	About    string // what an unusual mail is about: "no backup for 9 days"; empty: a run's result
	Customer string // empty where the job's name holds it already
	Colour   string // of the run's status
	When     string // "24 Nov 2026, 02:00-02:42 (41m 54s)"
	Head     []Line
	Summary  string
	Facts    []Line // what else is known of the device, as far as it is
	Objects  []Object
	Wrong    []Object // those that did not succeed, the worst first
	Right    []Object // the others
	Good     []Good   // the last success of those that did not succeed
	Remarks  []string
	Days     []Day  // oldest first
	Bar      []Bar  // the same, equal days in one
	LastDay  string // the date of the last of Days: "24 Nov"
}

// Line is one piece of the mail that can be found by its key.
type Line struct{ Key, Value string }

// Object is one data source of the run.
type Object struct {
	Number, Total  int
	Name           string
	Status         backup.Status
	Colour         string
	What           string // result, hours and change, in a sentence
	Hours          string // "02:00-02:31"
	Selected, Sent string // against the run before
	Lines          []Line
	Errors         []Error // the most telling first
	First          []Error // the first of them, and how many more there are
}

// Good is the last success of a data source.
type Good struct{ Name, When, Ago string }

// Day is one cell of the colour bar.
type Day struct {
	backup.Day
	Sign   string // S, W or F; "." where there was no session
	Colour string
	Own    bool // the day of the run
}

// Bar is several equal days, as a text.
type Bar struct{ Sign, Text string }

// The colours of a status. Each is dark enough for white text, which some mail
// programs make of any text in a dark mode of their own.
var colours = [...]string{backup.Success: "#176b3a", backup.Warning: "#8f5600", backup.Failed: "#b3261e"}

const noColour = "#666"

// view prepares a cleaned run for the templates.
func (c clock) view(r backup.Run) View {
	v := View{
		Run:      r,
		Totals:   r.Totals(),
		Brand:    brand(r.Device),
		About:    about(r),
		Customer: r.Device.Customer,
		Colour:   colours[r.Status],
		When:     c.runTime(r),
		Remarks:  r.Remarks,
		Summary:  c.summary(r),
		Facts:    c.facts(r),
	}
	if strings.Contains(strings.ToLower(r.Job), strings.ToLower(v.Customer)) {
		v.Customer = ""
	}
	v.Objects = c.objects(r)
	v.Head = c.head(r, v.Totals, v.Summary)
	v.Head = append(v.Head, Line{"Checksum", checksum(v)})
	for _, want := range []backup.Status{backup.Failed, backup.Warning, backup.Success} {
		for _, o := range v.Objects {
			switch {
			case o.Status != want:
			case want == backup.Success:
				v.Right = append(v.Right, o)
			default:
				v.Wrong = append(v.Wrong, o)
			}
		}
	}
	for _, g := range r.Good {
		good := Good{Name: cmp.Or(g.Source.Name, g.Source.Key, none), When: "not known"}
		if !g.End.IsZero() {
			good.When, good.Ago = g.End.In(c.loc).Format("2 Jan 2006, 15:04"), c.ago(g.End, r.End)
		}
		v.Good = append(v.Good, good)
	}
	c.days(&v)
	return v
}

// days sets the days that the device's colour bar tells of.
func (c clock) days(v *View) {
	r := v.Run
	own := cmp.Or(r.Start, r.End)
	if isSilence(r) {
		own = r.End
	}
	day := own.In(c.loc).Format(time.DateOnly)
	bar := r.Device.ColourBar
	if r.Kind == backup.Whole {
		bar = backup.WithRuns(bar, []backup.Past{{Start: own, Status: r.Status}}, c.loc)
	}
	for _, d := range bar {
		n := Day{Day: d, Sign: ".", Colour: noColour, Own: d.Date == day}
		if n.Word != "" && n.Status >= backup.Success && n.Status <= backup.Failed {
			n.Sign, n.Colour = n.Status.String()[:1], colours[n.Status]
		}
		v.Days = append(v.Days, n)
		text := n.Sign
		if n.Own {
			text = "[" + text + "]"
		}
		if last := len(v.Bar) - 1; last >= 0 && v.Bar[last].Sign == n.Sign {
			v.Bar[last].Text += text
		} else {
			v.Bar = append(v.Bar, Bar{n.Sign, text})
		}
		v.LastDay = d.Date
		if t, err := time.Parse(time.DateOnly, d.Date); err == nil {
			v.LastDay = t.Format("2 Jan")
		}
	}
}

// about says what a mail is about that does not tell of a run's end.
func about(r backup.Run) string {
	switch {
	case isSilence(r) && newest(r.Last) == nil:
		return "no backup yet"
	case isSilence(r):
		return "no backup for " + span(r.Duration())
	case r.Kind == backup.Overdue:
		return "still running after " + span(overdueFor(r))
	}
	return ""
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
			return truncate(word, 20)
		}
	}
	return "Backup"
}

// head is the run as a whole. Keys and their order are part of the interface
// to the reader: see backupchecks/.
func (c clock) head(r backup.Run, t backup.Totals, summary string) []Line {
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
		{"Status", r.Status.String()},
		{"Summary", summary},
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

// facts are what else is known of the device.
func (c clock) facts(r backup.Run) (lines []Line) {
	d := r.Device
	for _, l := range []Line{
		{"Customer reference", d.Reference}, {"Profile", d.Profile}, {"Machine", d.Machine}, {"Storage location", d.Location},
		{"Cloud copy", string(d.Storage.Cloud)}, {"LocalSpeedVault", string(d.Storage.Vault)}, {"Console", d.Console},
	} {
		if l.Value != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// amount writes "12.3 GB in 1,234 items, 1.2 GB more", as far as known.
func amount(bytes, before, items int64) string {
	s := ""
	if bytes >= 0 {
		s = size(bytes)
	}
	if items >= 0 {
		if s != "" {
			s += " in "
		}
		s += count(items) + " items"
	}
	if by := difference(bytes, before, size); by != "" {
		s += ", " + by
	}
	return s
}
