package backup

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// script is what happens to one device, and when it is looked at. Its lines:
//
//	F 10:00-10:30 Failed told 10:31   a session of data source F; statistics tell another end
//	F 10:00-10:30 listed 12:00        the history lists it late, or never ("unlisted")
//	F 10:00-10:30 final 12:00         the history lists it as running until then
//	F 05:00-05:30 seen 10:00-10:30    its device's clock is off
//	F 10:00-                          it never ends
//	repeat 9 24h F 10:00-10:30        nine of them, a day apart
//	poll 09:00 11:00                  looks at these times
//	each 15m 09:00-11:00              looks again and again
//	no history 10:00-12:00            it can't be read; also "no texts" of errors, "gone", "unnamed"
//	clock 6h 10:00-12:00              the product's clock is ahead
//	restored 12:00 10:00              at 12:00 the ledger is put back as it was at 10:00
//	set numbered                      a rule or a property; see set
//
// Hours go on past 23, and below 0. A look that finds nothing new, and is not due,
// tells nothing. One that does tells how far back the history was read, which runs
// went out, and when the device is due again.
type script struct {
	t        *testing.T
	device   Device
	rules    Rules
	numbered bool // the numbers of sessions count up
	starts   bool // statistics tell starts, not ends
	vague    bool // statistics don't tell since when a session runs
	sessions []scripted
	polls    []time.Time
	spells   []spell
	restored [2]time.Time // when, and to what
}

// scripted is a session as it comes about.
type scripted struct {
	Session
	begun, done, listed, final, told time.Time
	unlisted                         bool // the history never lists it
}

// spell is a time in which something is out of order.
type spell struct {
	what     string
	off      time.Duration
	from, to time.Time
}

// clock reads "10:05" and "-24:00" as hours and minutes after midnight of monday.
func clock(t testing.TB, s string) time.Time {
	t.Helper()
	sign := time.Duration(1)
	if s[0] == '-' {
		sign, s = -1, s[1:]
	}
	var h, m, sec int
	if n, err := fmt.Sscanf(s, "%d:%d:%d", &h, &m, &sec); n < 2 {
		t.Fatalf("%q is no time: %v", s, err)
	}
	return monday.Add(sign * (time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second))
}

// hours writes a time as clock reads it.
func hours(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d, sign := t.Sub(monday), ""
	if d < 0 {
		d, sign = -d, "-"
	}
	s := fmt.Sprintf("%s%02d:%02d", sign, d/time.Hour, d%time.Hour/time.Minute)
	if sec := d % time.Minute / time.Second; sec != 0 {
		s += fmt.Sprintf(":%02d", sec)
	}
	return s
}

func (s *script) span(text string) (from, to time.Time) {
	s.t.Helper()
	cut := strings.Index(text[1:], "-") + 1
	if from = clock(s.t, text[:cut]); text[cut+1:] != "" {
		to = clock(s.t, text[cut+1:])
	}
	return from, to
}

// read takes in the lines of a script.
func (s *script) read(lines string) {
	s.t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		words := strings.Fields(line)
		switch last := words[len(words)-1]; words[0] {
		case "poll":
			for _, w := range words[1:] {
				s.polls = append(s.polls, clock(s.t, w))
			}
		case "each":
			every, err := time.ParseDuration(words[1])
			if err != nil {
				s.t.Fatal(err)
			}
			for from, to := s.span(last); !from.After(to); from = from.Add(every) {
				s.polls = append(s.polls, from)
			}
		case "restored":
			s.restored = [2]time.Time{clock(s.t, words[1]), clock(s.t, last)}
		case "clock":
			p := spell{what: "clock"}
			p.off, _ = time.ParseDuration(words[1])
			p.from, p.to = s.span(last)
			s.spells = append(s.spells, p)
		case "set":
			s.set(words[1], last)
		case "no", "gone", "unnamed":
			p := spell{what: strings.Join(words[:len(words)-1], " ")}
			p.from, p.to = s.span(last)
			s.spells = append(s.spells, p)
		case "repeat":
			n, err := strconv.Atoi(words[1])
			if err != nil {
				s.t.Fatal(err)
			}
			every, err := time.ParseDuration(words[2])
			if err != nil {
				s.t.Fatal(err)
			}
			for i := range n {
				s.session(words[3:], time.Duration(i)*every)
			}
		default:
			s.session(words, 0)
		}
	}
	slices.SortStableFunc(s.polls, time.Time.Compare)
}

// set changes a rule, or a property of the device or of what tells of it.
func (s *script) set(what, value string) {
	s.t.Helper()
	long := func() time.Duration {
		d, err := time.ParseDuration(value)
		if err != nil {
			s.t.Fatal(err)
		}
		return d
	}
	switch what {
	case "numbered":
		s.numbered = true
	case "starts":
		s.starts = true
	case "vague":
		s.vague = true
	case "tenant":
		s.device.Type = Microsoft365
	case "created":
		s.device.Created = clock(s.t, value)
	case "max_wait":
		s.rules.MaxWait = long()
	case "retry":
		s.rules.Retry = long()
	case "silence":
		s.rules.Silence = map[string]time.Duration{Server: long()}
	case "may": // be silent
		s.rules.MayBeSilent = func(d Device) bool { return d.Name == device.Name }
	case "by": // source
		s.rules.BySource = true
	case "apart":
		s.rules.Separate = func(d DataSource) bool { return d.Key == value }
	default:
		s.t.Fatalf("nothing is called %q", what)
	}
}

func (s *script) session(words []string, later time.Duration) {
	s.t.Helper()
	x := scripted{Session: Session{
		ID: fmt.Sprint(len(s.sessions) + 1), Source: DataSource{Key: words[0], Name: "Source " + words[0]}, State: Ended,
		SelectedBytes: Unknown,
	}}
	if s.numbered {
		x.Seq = int64(len(s.sessions) + 1)
	}
	x.Start, x.End = s.span(words[1])
	if !x.End.IsZero() { // the n-th of those that are repeated
		x.End = x.End.Add(later)
	}
	x.Start = x.Start.Add(later)
	x.begun, x.done = x.Start, x.End
	for i := 2; i < len(words); i++ {
		switch words[i] {
		case "seen":
			x.begun, x.done = s.span(words[i+1])
			i++
		case "listed":
			x.listed = clock(s.t, words[i+1])
			i++
		case "final":
			x.final = clock(s.t, words[i+1])
			i++
		case "told":
			x.told = clock(s.t, words[i+1])
			i++
		case "unlisted":
			x.unlisted = true
		case "Restarted":
			x.State, x.Status = Restarted, Warning
		case "selects":
			fmt.Sscan(words[i+1], &x.SelectedBytes)
			i++
		default:
			var err error
			if x.Status, err = ParseStatus(words[i]); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	s.sessions = append(s.sessions, x)
}
