package cove

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"covebridge/bridge/backup"
)

// seeds adds all recorded replies, and pieces of them.
func seeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "cove", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no recorded replies: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
		f.Add(string(text[:len(text)/2]))
	}
	for _, text := range []string{
		"", "null", "[]", "{", `"`, "<html>", "\uFEFF{}", `{"result":null}`, `{"result":{"result":{}}}`, `{"result":5,"error":null}`,
		`{"error":{"code":"x","data":[1]}}`, `{"result":{"result":[[["a=b"]],{"Settings":[{}]},null,5]}}`, `{"visa":{},"result":{"data":"x"}}`,
	} {
		f.Add(text)
	}
}

func FuzzStatistics(f *testing.F) {
	seeds(f)
	c := (&fakeCove{}).client()
	f.Fuzz(func(t *testing.T, text string) {
		var p page
		readEnvelope(strings.NewReader(text), maxReply, false, func(dec *decoder) error { return p.read(dec, 250) })
		row := pageRow{c: c, p: &p}
		for _, scanned := range p.rows {
			row.show(scanned)
			agrees(t, p.text[scanned.from:scanned.to], scanned)
			s := row.Snapshot()
			if scanned.id > 0 && string(row.Key()) != s.Device.Key() || len(s.Device.ColourBar) > barDays {
				t.Errorf("%s %+v", row.Key(), s)
			}
			sound(t, s.Sessions)
		}
		c.columns.discover(p.sources)
	})
}

// sound checks what must hold of every session, whatever was told.
func sound(t *testing.T, sessions []backup.Session) {
	t.Helper()
	for _, s := range sessions {
		bad := s.Start.IsZero() || s.Start.After(testNow.Add(maxAhead)) || s.Source.Key == "" || s.Source.Name == "" || s.Source.Key == "D09" ||
			s.Result == "" || !utf8.ValidString(s.Result) || s.ErrorCount < 0 || s.SelectedBytes < backup.Unknown
		if s.State == backup.Running {
			bad = bad || !s.End.IsZero() || !s.Told.IsZero()
		} else {
			bad = bad || s.End.Before(s.Start)
		}
		if bad {
			t.Errorf("%+v", s)
		}
	}
}

func FuzzSessions(f *testing.F) {
	seeds(f)
	c := (&fakeCove{}).client()
	f.Fuzz(func(t *testing.T, text string) {
		read := func(int) (p historyPage, err error) {
			_, _, err = readEnvelope(strings.NewReader(text), maxReply, false, decodeRows(&p.rows, nodeRange, &p.more))
			for _, r := range p.rows { // those without times would be asked for
				if s, ok := c.session(r, sourceSet{}); ok && s.Start.IsZero() {
					r["starttime"] = value{"1795400000", true}
				}
			}
			p.at = testNow
			return p, err
		}
		sessions, err := c.history(t.Context(), aServer, time.Unix(0, 0), time.Time{}, nodeRange, read)
		if err == nil {
			sound(t, sessions)
		}
	})
}

func FuzzErrorRows(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		var rows []row
		readEnvelope(strings.NewReader(text), maxReply, false, decodeRows(&rows, nodeRange, nil))
		var l errorList
		for _, r := range rows {
			l.add(m365Error(r))
			l.addGroup(nodeError(r), []backup.Error{nodeError(r), m365Error(r)})
		}
		for _, e := range l.all() {
			if e.Count < 1 || len(e.Text) > maxErrorText || len(e.File) > maxErrorText || !utf8.ValidString(e.Text) {
				t.Errorf("%+v", e)
			}
		}
	})
}

func FuzzLogin(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		var who loginResult
		readEnvelope(strings.NewReader(text), maxReply, false, func(dec *decoder) error { return dec.decode(&who) })
		var info accountInfo
		readEnvelope(strings.NewReader(text), maxReply, false, func(dec *decoder) error { return dec.decode(&info) })
		if host := hostName(info.host); strings.ContainsAny(host, "/:@?# \r\n") {
			t.Errorf("host %q", host)
		}
	})
}

func FuzzCustomers(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		known := tree{}
		readEnvelope(strings.NewReader(text), maxReply, false, known.decode)
		for id := range known {
			if len(known.path(id)) > maxLevels {
				t.Errorf("%d", id)
			}
		}
	})
}

func FuzzErrorObject(f *testing.F) {
	seeds(f)
	c := (&fakeCove{}).client()
	f.Fuzz(func(t *testing.T, text string) {
		_, fl, _ := readEnvelope(strings.NewReader(text), maxReply, false, (*decoder).skip)
		e := &Error{"M", fl.code, fl.number, c.quote(fl.message), 200}
		if len(e.Message) > maxMessage || !utf8.ValidString(e.Message) || strings.ContainsAny(e.Message, "\r\n\x00\x1b") {
			t.Errorf("%q", e.Message)
		}
		_ = isVisaExpired(e)
	})
}

// Every value decodes, whatever valid JSON it is.
func FuzzValue(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		var v value
		if err := json.Unmarshal([]byte(text), &v); err != nil && json.Valid([]byte(text)) {
			t.Errorf("%q: %v", text, err)
		}
		if v.count() < backup.Unknown || v.seconds() < 0 || v.status().String() == "" || !v.time().IsZero() && v.time().Unix() <= 0 {
			t.Errorf("%q", text)
		}
		if again := canonical(canonical(text)); again != canonical(text) {
			t.Errorf("%q becomes %q", canonical(text), again)
		}
	})
}
