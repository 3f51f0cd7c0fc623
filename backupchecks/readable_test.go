package backupchecks

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/message"
	"covebridge/templates"
)

// claims are the mails that the rule itself claims, in order.
func claims(t *testing.T, mails [][]byte) (claimed []bool) {
	t.Helper()
	dir := t.TempDir()
	for i, m := range mails {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.eml", i)), m, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := python(t, nil, "-c", `import covebridge, email, email.policy, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    bodies = [mail.get_body((kind,)) for kind in ("html", "plain")]
    got = covebridge.parse(str(mail["From"]), str(mail["Subject"]), *(b.get_content() if b else None for b in bodies))
    print(int(got is not None))`, dir)
	for _, word := range strings.Fields(out) {
		claimed = append(claimed, word == "1")
	}
	if len(claimed) != len(mails) {
		t.Fatalf("%d mails, %d answers", len(mails), len(claimed))
	}
	return claimed
}

// What message.Readable says of the mails of changed templates is what the rule
// does with them.
func TestReadableIsWhatTheRuleReads(t *testing.T) {
	if testing.Short() {
		t.Skip("not in the short form: Python reads the mails of many templates")
	}
	const subject, text, html = "subject.tmpl", "text.tmpl", "html.tmpl"
	type change struct{ file, old, new string }
	const head = "{{range .Head}}{{.Key}}: {{.Value}}\n{{end}}"
	without := func(key string) []change {
		return []change{
			{text, head, `{{range .Head}}{{if ne .Key "` + key + `"}}{{.Key}}: {{.Value}}` + "\n{{end}}{{end}}"},
			{html, "{{.Key}}:<td>{{.Value}}{{end}}\n{{if .Wrong}}", `{{if ne .Key "` + key + `"}}{{.Key}}:<td>{{.Value}}{{end}}{{end}}` + "\n{{if .Wrong}}"},
		}
	}
	const brand = "[{{.Brand}}{{with .About}}, {{.}}{{end}}]"
	const customer = "{{with .Customer}} ({{short .}}){{end}}"
	cases := []struct {
		name    string
		changes []change
		want    string // in why it can't be read, | between words of which one is; empty: it can
	}{
		{"built in", nil, ""},
		{"a text of one's own", []change{{text, head, "Dear all,\n{{.Summary}}\n"}}, ""},
		{"a page of one's own", []change{{html, "<!doctype html>", "<p>{{.Summary}}{{/*"}, {html, "in console</a>\n{{end}}", "*/}}"}}, ""},
		{"more after the lines", []change{{text, head, head + "Room: 12\n"}, {html, "</table>\n{{with .Run.Device.Console}}", "</table><p>Call us.\n{{with .Run.Device.Console}}"}}, ""},
		{"no customer in the subject", []change{{subject, customer, ""}}, ""},
		{"another word for the product", []change{{subject, brand, "[Backup of Acme]"}}, ""},
		{"no word for the product", []change{{subject, brand + " ", ""}}, `has no "[Word] Status: " in it`},
		{"no status in the subject", []change{{subject, " {{.Run.Status}}", ""}}, `has no "[Word] Status: " in it`},
		{"another status in the subject", []change{{subject, "{{.Run.Status}}", `{{if eq .Run.Status.String "Failed"}}Warning{{else}}Failed{{end}}`}}, `and the subject "`},
		{"no job in the subject", []change{{subject, "{{short .Run.Job}}", "{{short .Run.Device.Computer}}"}}, "the subject ends in"},
		{"more behind the job", []change{{subject, customer, " of {{.Run.Device.Customer}}"}}, "the subject ends in"},
		{"no status", without("Status"), `the line "Status: …" is missing`},
		{"no customer", without("Customer"), `the line "Customer: …" is missing`},
		{"no customer path", without("Customer path"), ""},
		{"no software", without("Backup software"), `the line "Backup software: …" is missing`},
		{"no checksum", without("Checksum"), `the line "Checksum: …" is missing`},
		{"a head twice", []change{{text, head, head + head}, {html, "{{range .Remarks}}<tr><td>Remark", "<tr><td>Status:<td>Success\n{{range .Remarks}}<tr><td>Remark"}}, "twice"},
		{"no objects", []change{{text, "Object {{.Number}} of", "Source {{.Number}} of"}, {html, "Object {{.Number}} of", "Source {{.Number}} of"}}, "checksum|below the head"},
		{"objects by other names", []change{{text, "{{.Status}} - {{.Name}}", "{{.Status}} - [{{.Name}}]"}, {html, "{{.Status}} - {{.Name}}", "{{.Status}} - [{{.Name}}]"}}, "checksum"},
		{"objects without a number", []change{{text, "of {{.Total}}", "of all"}, {html, "of {{.Total}}", "of all"}}, "checksum|below the head"},
		{"objects counted from 0", []change{{text, "Object {{.Number}}", "Object {{len (slice \"xxxxx\" 0 0)}}"}, {html, "Object {{.Number}}", "Object 0"}}, "not in its place"},
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for _, c := range cases {
		dir := t.TempDir()
		for _, name := range []string{subject, text, html} {
			b, err := templates.FS.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s := string(b)
			for _, ch := range c.changes {
				if ch.file != name {
					continue
				}
				if strings.Count(s, ch.old) != 1 {
					t.Fatalf("%s: %s holds %q %d times", c.name, name, ch.old, strings.Count(s, ch.old))
				}
				s = strings.Replace(s, ch.old, ch.new, 1)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(s), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := message.New(message.Options{From: "Cove <cove@msp.example>", To: []string{"b@msp.example"}, Templates: dir, Location: time.UTC})
		if err != nil {
			t.Fatal(c.name, err)
		}
		var mails [][]byte
		for range 12 {
			run := randomRun(rng)
			tame(rng, &run)
			m, err := r.Render(run)
			if err != nil {
				t.Fatal(err)
			}
			mails = append(mails, m.Bytes)
		}
		for i, claimed := range claims(t, mails) {
			err := message.Readable(mails[i])
			if (err == nil) != (c.want == "") || err != nil && !slices.ContainsFunc(strings.Split(c.want, "|"), func(want string) bool { return strings.Contains(err.Error(), want) }) || claimed != (err == nil) {
				t.Fatalf("%s: %v, and the rule claims it: %t\n%s", c.name, err, claimed, mails[i])
			}
		}
		if usual, _ := r.Unreadable(); (usual == nil) != (c.want == "") {
			t.Errorf("%s: %v", c.name, usual)
		}
	}
}

// Whatever the product calls things, both say the same of a mail.
func TestReadableAgreesOnHostileMails(t *testing.T) {
	r, err := message.New(message.Options{From: "Cove <cove@msp.example>", To: []string{"b@msp.example"}, Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(9, 10))
	var mails [][]byte
	for range 300 {
		m, err := r.Render(randomRun(rng))
		if err != nil {
			t.Fatal(err)
		}
		mails = append(mails, m.Bytes)
	}
	read := 0
	for i, claimed := range claims(t, mails) {
		err := message.Readable(mails[i])
		if claimed != (err == nil) {
			t.Errorf("%v, and the rule claims it: %t\n%s", err, claimed, mails[i])
		}
		if claimed {
			read++
		}
	}
	if read < 250 {
		t.Errorf("only %d of %d mails are read at all", read, len(mails))
	}
}
