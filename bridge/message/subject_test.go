package message

import (
	"strings"
	"testing"
)

// The subject names the customer once: not again where the job's name holds it.
func TestSubjectNamesCustomerOnce(t *testing.T) {
	for _, c := range []struct{ job, customer, want string }{
		{"srv01_ab12c", "Acme BV", "[Cove] Failed: srv01_ab12c (Acme BV)"},
		{"Acme BV - srv01", "Acme BV", "[Cove] Failed: Acme BV - srv01"},
		{"ACME bv: srv01", "Acme BV", "[Cove] Failed: ACME bv: srv01"},
		{"srv01_ab12c", "", "[Cove] Failed: srv01_ab12c"},
	} {
		run := goldenRuns(t)["failure"]
		run.Job, run.Device.Customer = c.job, c.customer
		m, err := renderer(t).Render(run)
		if err != nil || m.Subject != c.want {
			t.Errorf("%q, %v; want %q", m.Subject, err, c.want)
		}
	}
}

// mail.console decides where the mail's link leads: nowhere, to an address of
// the administrator's, or to where the product says.
func TestConsoleLink(t *testing.T) {
	run := goldenRuns(t)["failure"]
	run.Device.ID, run.Device.Console = "12/3", "https://product.example/device?id=12"
	for console, want := range map[string]string{
		"on":                             "https://product.example/device?id=12",
		"off":                            "",
		"https://portal.example/at/{id}": "https://portal.example/at/12%2F3",
	} {
		r, err := New(Options{From: "a@b.example", To: []string{"c@d.example"}, Console: console})
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Render(run)
		if err != nil {
			t.Fatal(err)
		}
		p := parse(t, m.Bytes)
		if got := strings.Contains(p.html, `href="`+want+`"`) && strings.Contains(p.text, "Console: "+want+"\r\n"); want != "" && !got {
			t.Errorf("%s: no %s in the mail:\n%s", console, want, p.html)
		}
		if want == "" && (strings.Contains(p.html, "href=") || strings.Contains(p.text, "Console:")) {
			t.Errorf("%s: a link in the mail:\n%s", console, p.html)
		}
	}
}
