package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gomessage "github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/realtest"
)

// checkLines fails where a line is too long or does not end with CRLF.
func checkLines(t testing.TB, mail []byte) {
	t.Helper()
	if !bytes.HasSuffix(mail, []byte("\r\n")) {
		t.Error("the mail does not end with CRLF")
	}
	for i, line := range bytes.Split(bytes.TrimSuffix(mail, []byte("\r\n")), []byte("\r\n")) {
		if bytes.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("line %d holds a bare CR, LF or a NUL: %q", i+1, line)
		}
		if len(line) > 998 {
			t.Fatalf("line %d has %d bytes", i+1, len(line))
		}
		if bytes.HasSuffix(line, []byte(" ")) {
			t.Errorf("line %d ends with a space: %q", i+1, line)
		}
		for _, c := range line {
			if c >= 0x80 {
				t.Fatalf("line %d holds 8-bit bytes: %q", i+1, line)
			}
		}
	}
}

// parsed is a mail as go-message reads it.
type parsed struct {
	header     mail.Header
	fields     []string // names, in order
	text, html string
}

// parse reads a mail back and fails where it is not a text and an HTML part.
func parse(t testing.TB, raw []byte) parsed {
	t.Helper()
	e, err := gomessage.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p := parsed{header: mail.Header{Header: e.Header}}
	for f := e.Header.Fields(); f.Next(); {
		p.fields = append(p.fields, f.Key())
	}
	if kind, _, _ := e.Header.ContentType(); kind != "multipart/alternative" {
		t.Fatalf("content type %q", kind)
	}
	r := e.MultipartReader()
	for _, part := range []struct {
		kind string
		body *string
	}{{"text/plain", &p.text}, {"text/html", &p.html}} {
		e, err := r.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		kind, params, err := e.Header.ContentType()
		if err != nil || kind != part.kind || params["charset"] != "utf-8" {
			t.Fatalf("part is %s %v (%v), want %s in utf-8", kind, params, err, part.kind)
		}
		b, err := io.ReadAll(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		*part.body = string(b)
	}
	if _, err := r.NextPart(); !errors.Is(err, io.EOF) {
		t.Fatalf("a third part, or %v", err)
	}
	return p
}

func TestHeaders(t *testing.T) {
	r := renderer(t)
	run := goldenRuns(t)["umlauts"]
	m, err := r.Render(run)
	if err != nil {
		t.Fatal(err)
	}
	h := parse(t, m.Bytes).header
	if id, err := h.MessageID(); err != nil || id != run.ID+"@covebridge" || id != m.MessageID {
		t.Errorf("Message-ID %q, %v", id, err)
	}
	if d, err := h.Date(); err != nil || !d.Equal(run.End) || !m.Date.Equal(run.End) || d.Format("-0700") != "+0100" {
		t.Errorf("Date %v, %v", d, err)
	}
	if s, err := h.Subject(); err != nil || s != "[Cove] Success: büro-müller_9xk2p (Müller & Söhne GmbH)" || s != m.Subject {
		t.Errorf("Subject %q, %v", s, err)
	}
	if from, err := h.AddressList("From"); err != nil || len(from) != 1 || *from[0] != (mail.Address{Name: "Cove", Address: "cove@msp.example"}) {
		t.Errorf("From %v, %v", from, err)
	}
	for name, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "X-Cove-Run": run.ID, "X-Cove-Account-ID": "1234567", "X-Cove-Status": "Success",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A second product has its own word in the subject and in the headers.
func TestSecondProduct(t *testing.T) {
	m, err := renderer(t).Render(goldenRuns(t)["second-product"])
	if err != nil {
		t.Fatal(err)
	}
	if m.Subject != "[Acronis] Warning: web-07" {
		t.Errorf("subject %q", m.Subject)
	}
	if bytes.Contains(bytes.ReplaceAll(m.Bytes, []byte("Cove\" <cove@"), nil), []byte("Cove")) {
		t.Errorf("the mail knows Cove:\n%s", m.Bytes)
	}
	if p := parse(t, m.Bytes); p.header.Get("X-Acronis-Status") != "Warning" {
		t.Error("no X-Acronis-Status")
	}
}

// Long names of many bytes are folded by us: go-message would leave them on
// one line.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("数据保护", 850) // 10,200 bytes
	r, err := New(Options{From: `"` + long[:600] + `" <cove@msp.example>`, To: []string{"Ä <a@b.example>", "b@b.example", `"x, y" <c@b.example>`}})
	if err != nil {
		t.Fatal(err)
	}
	run := samples()[0]
	run.Job, run.Device.Name, run.Device.Customer, run.Device.ID = long, long, long, long
	m, err := r.Render(run)
	if err != nil {
		t.Fatal(err)
	}
	checkLines(t, m.Bytes)
	head, _, _ := bytes.Cut(m.Bytes, []byte("\r\n\r\n"))
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if len(line) > 76 {
			t.Errorf("header line of %d characters: %s", len(line), line)
		}
	}
	p := parse(t, m.Bytes)
	if s, err := p.header.Subject(); err != nil || s != m.Subject || len([]rune(s)) > 430 {
		t.Errorf("subject of %d characters reads back as %q, %v", len([]rune(m.Subject)), s, err)
	}
	if !strings.Contains(p.text, "\nJob name: "+long+"\r\n") {
		t.Error("the job name is not whole in the text")
	}
	if from, err := p.header.AddressList("From"); err != nil || from[0].Name != long[:600] {
		t.Errorf("From reads back as %v, %v", from, err)
	}
	if to, err := p.header.AddressList("To"); err != nil || fmt.Sprint(to[0].Name, to[1].Address, to[2].Name) != "Äb@b.examplex, y" {
		t.Errorf("To reads back as %v, %v", to, err)
	}
}

// One word of a subject can be longer than a line may be.
func TestLongWord(t *testing.T) {
	r, err := with(t, "subject.tmpl", "{{.Run.Job}}")
	if err != nil {
		t.Fatal(err)
	}
	run := samples()[0]
	run.Job = strings.Repeat("x", 995) // the header field has more than 998 bytes then
	m, err := r.Render(run)
	if err != nil {
		t.Fatal(err)
	}
	checkLines(t, m.Bytes)
	h := parse(t, m.Bytes).header
	if s, err := h.Subject(); err != nil || s != m.Subject || s != run.Job {
		t.Errorf("%d bytes, %v", len(s), err)
	}
}

func TestDateOfStrangeTimes(t *testing.T) {
	r := renderer(t)
	for _, end := range []time.Time{{}, time.Unix(1<<40, 0), time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(253402300799, 0)} {
		run := samples()[1]
		run.Start, run.End = end, end
		m, err := r.Render(run)
		if err != nil {
			t.Fatal(err)
		}
		h := parse(t, m.Bytes).header
		if d, err := h.Date(); err != nil || !d.Equal(m.Date) {
			t.Errorf("%v: Date %v, %v", end, d, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{{}, {From: "a@b", To: []string{"no address"}}, {From: "a@b"}, {From: "a@b\r\nBcc: c@d", To: []string{"e@f"}}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestIDIsValid(t *testing.T) {
	for _, id := range []string{"", "cove-1-20261124T010013Z", "a b<>@\r\nc", strings.Repeat("x", 5000)} {
		var h mail.Header
		h.SetMessageID(ID(id))
		if got, err := h.MessageID(); err != nil || got != ID(id) || len(got) > 320 {
			t.Errorf("ID(%.20q) = %q reads back as %q, %v", id, ID(id), got, err)
		}
	}
}

// Every golden mail and every mail of a hostile run reads without a defect in
// Python's email package, which Backupchecks' world is made of.
func TestPythonFindsNoDefects(t *testing.T) {
	python := realtest.Need(t, "python3", "python3")[0]
	files, err := filepath.Glob(mails + "/*.eml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden mails, %v", len(files), err)
	}
	out, err := exec.Command(python, append([]string{"testdata/defects.py"}, files...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if want := fmt.Sprintf("%d mails, no defects", len(files)); strings.TrimSpace(string(out)) != want {
		t.Errorf("got %s, want %s", out, want)
	}
}

func FuzzRender(f *testing.F) {
	for _, s := range []string{"srv01", "a\r\nBcc: x@y\r\n\r\n.", "\u202eSuccess\u2028Status: Success", "</td><!--", "\xff\x00\xfe", "=?utf-8?q?x?=", strings.Repeat("漢", 3000), "From x", "  "} {
		for kind := range samples() {
			f.Add(s, s, s, s, s, byte(kind), int64(1795400000))
		}
	}
	r := renderer(f)
	f.Fuzz(func(t *testing.T, job, name, customer, source, text string, kind byte, at int64) {
		all := samples()
		run := all[int(kind)%len(all)]
		run.ID, run.Job, run.End = text, job, time.Unix(at, 0)
		d := &run.Device
		d.Name, d.Alias, d.Computer, d.OS, d.ID, d.Customer = name, text, job, source, customer, customer
		d.CustomerPath = []string{customer, name}
		d.Software, d.Reference, d.Profile, d.Location, d.Machine, d.Console = name, job, source, text, name, "https://"+text
		run.Remarks = []string{text, source}
		for _, list := range [][]backup.Session{run.Sessions, run.Last} {
			for i := range list {
				list[i].Source.Name, list[i].Result, list[i].ErrorsMissing = source, text, name
				list[i].Errors = []backup.Error{{Text: text, File: name, Code: job, Count: at}, {Text: source}}
			}
		}
		for i := range run.Good {
			run.Good[i].Source.Name = source
		}
		if run.Recovered != nil {
			run.Recovered.Plan = text
		}
		m, err := r.Render(run)
		if err != nil {
			t.Fatal(err)
		}
		checkLines(t, m.Bytes)
		checkHostile(t, r, run, m)
	})
}

// checkHostile fails where a text of the product became more than a text.
func checkHostile(t *testing.T, r *Renderer, run backup.Run, m Mail) {
	t.Helper()
	p := parse(t, m.Bytes)
	x := textproto.CanonicalMIMEHeaderKey("X-"+headerWord(brand(clean(run).Device))) + "-"
	want := []string{"From", "To", "Subject", "Date", "Message-Id", "Auto-Submitted", x + "Run", x + "Account-Id", x + "Status", "Mime-Version", "Content-Type"}
	if fmt.Sprint(p.fields) != fmt.Sprint(want) {
		t.Fatalf("header fields %v, want %v", p.fields, want)
	}
	if s, err := p.header.Subject(); err != nil || s != m.Subject {
		t.Errorf("subject %q reads back as %q, %v", m.Subject, s, err)
	}
	v := r.clock.view(clean(run))
	rows := len(v.Head) + len(v.Remarks) + len(v.Objects)
	if len(v.Wrong) > 0 {
		rows += len(v.Facts)
		if v.Run.Device.Console != "" {
			rows--
		}
	}
	for _, o := range v.Wrong {
		rows += len(o.First)
		for _, l := range o.Lines {
			if l.Key != "Data" {
				rows++
			}
		}
	}
	cells := 1 + 2*rows // the headline, the record
	if len(v.Right) > 0 {
		cells += 4 + 4*len(v.Right)
	}
	if len(v.Good) > 0 {
		cells += 1 + 3*len(v.Good)
	}
	if got := strings.Count(p.html, "<td"); got != cells {
		t.Errorf("%d cells in the HTML, want %d:\n%s", got, cells, p.html)
	}
	if len(v.Wrong) > 0 {
		for _, tag := range []string{"<script", "<!--", "<img", "<td onload"} {
			if strings.Contains(p.html, tag) {
				t.Errorf("%s in the HTML:\n%s", tag, p.html)
			}
		}
	}
	// What starts a line at the margin is ours.
	var margin []string
	for line := range strings.SplitSeq(p.text, "\r\n") {
		if line != "" && !strings.HasPrefix(line, "  ") {
			margin = append(margin, line)
		}
	}
	for i, l := range v.Head {
		if margin[i] != l.Key+": "+l.Value {
			t.Fatalf("line %q, want %s: %s", margin[i], l.Key, l.Value)
		}
	}
	for _, line := range margin[len(v.Head):] {
		known := false
		for _, start := range []string{"Object ", "Remark: ", "Last ", "Customer reference: ", "Profile: ", "Machine: ", "Storage location: ", "Cloud copy: ",
			"LocalSpeedVault: ", "Console: "} {
			known = known || strings.HasPrefix(line, start)
		}
		if !known {
			t.Errorf("unexpected line %q", line)
		}
	}
}
