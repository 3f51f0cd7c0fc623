package message

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"covebridge/bridge/backup"
)

// Limits, in characters, on texts from the product. The job name has none: it
// is what the reader knows the job by, and is shown whole.
const (
	maxName   = 1000 // names, remarks
	maxWord   = 200  // results, codes; names in a subject
	maxText   = 600  // the text of one error
	maxFile   = 400  // the file of one error
	maxLevels = 20   // customers in a path
)

// oneLine makes a text from the product fit to stand in a line of its own and
// to come out the same however a reader treats spaces: whatever breaks lines,
// moves the cursor or is not a character becomes a space or goes, and white
// space of any kind becomes single spaces.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case r < 0x20, 0x7f <= r && r <= 0x9f:
			return ' '
		case r == 0x061c, r == 0x200e, r == 0x200f, // marks of direction
			0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069, // embeddings, overrides, isolates
			r == 0x00ad, r == 0x200b, r == 0x2060, r == 0xfeff, // invisible; readers drop them at will
			0xfff9 <= r && r <= 0xfffb, r == 0xfffe, r == 0xffff:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// truncate is the text on one line, with at most n characters, the last of them "…"
// where something is missing.
func truncate(s string, n int) string {
	// What is cleaned away must not cost time without end.
	if len(s) > 16*n {
		s = s[:16*n]
	}
	s = oneLine(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)[:n-1]
	return strings.TrimRight(string(runes), " ") + "…"
}

// clean gives the run with every text on one line and of bounded length, so
// that whatever a template does with them, they can't pose as something else.
func clean(r backup.Run) backup.Run {
	r.ID = truncate(r.ID, maxName)
	r.Device = cleanDevice(r.Device)
	r.Job = oneLine(r.Job)
	if r.Job == "" {
		r.Job = r.Device.Name
	}
	if r.Job == "" {
		r.Job = truncate(r.Device.Key(), maxName)
	}
	if r.Source != nil {
		s := cleanSource(*r.Source)
		r.Source = &s
	}
	r.Status = min(max(r.Status, backup.Success), backup.Failed)
	r.Sessions = cleanSessions(r.Sessions)
	r.Last = cleanSessions(r.Last)
	r.Replaced = cleanSessions(r.Replaced)
	r.Good = slices.Clone(r.Good)
	for i := range r.Good {
		r.Good[i].Source = cleanSource(r.Good[i].Source)
	}
	r.Remarks = cleanList(r.Remarks, maxName)
	if r.Recovered != nil {
		r.Recovered = &backup.Recovered{Backup: r.Recovered.Backup, Plan: truncate(r.Recovered.Plan, maxWord)}
	}
	return r
}

// cleanList cleans each text and leaves out those of which nothing is left.
func cleanList(list []string, n int) []string {
	var clean []string
	for _, s := range list {
		if s = truncate(s, n); s != "" {
			clean = append(clean, s)
		}
	}
	return clean
}

func cleanDevice(d backup.Device) backup.Device {
	for _, s := range []*string{&d.Product, &d.Software, &d.ID, &d.Alias, &d.Computer, &d.OS, &d.Type, &d.Customer, &d.CustomerID, &d.Reference, &d.Profile, &d.Location, &d.Machine, &d.Console} {
		*s = truncate(*s, maxName)
	}
	if !strings.HasPrefix(d.Console, "https://") {
		d.Console = ""
	}
	d.Storage = backup.Storage{Cloud: backup.Copy(truncate(string(d.Storage.Cloud), maxWord)), Vault: backup.Copy(truncate(string(d.Storage.Vault), maxWord))}
	d.Name = oneLine(d.Name)
	d.CustomerPath = cleanList(d.CustomerPath[max(len(d.CustomerPath)-maxLevels, 0):], maxWord)
	d.ColourBar = slices.Clone(d.ColourBar)
	for i, day := range d.ColourBar {
		d.ColourBar[i] = backup.Day{Date: truncate(day.Date, 20), Word: truncate(day.Word, maxWord), Status: day.Status}
	}
	return d
}

func cleanSource(s backup.DataSource) backup.DataSource {
	return backup.DataSource{Key: truncate(s.Key, maxWord), Name: truncate(s.Name, maxWord)}
}

func cleanSessions(sessions []backup.Session) []backup.Session {
	sessions = slices.Clone(sessions)
	for i := range sessions {
		s := &sessions[i]
		s.ID = truncate(s.ID, maxWord)
		s.Source = cleanSource(s.Source)
		s.Result = truncate(s.Result, maxWord)
		s.ErrorsMissing = truncate(s.ErrorsMissing, maxName)
		s.Errors = slices.Clone(s.Errors)
		for j := range s.Errors {
			e := &s.Errors[j]
			e.File, e.Text, e.Code = truncate(e.File, maxFile), truncate(e.Text, maxText), truncate(e.Code, maxWord)
		}
	}
	return sessions
}

// mailable tells whether a time can stand in a Date header (RFC 5322 section
// 3.3: a year of four digits, from 1900).
func mailable(t time.Time) bool { return t.Year() >= 1900 && t.Year() <= 9998 }
