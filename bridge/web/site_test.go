package web_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/config"
	"covebridge/bridge/covesim"
	"covebridge/bridge/web"
)

var update = flag.Bool("update", false, "write pictures into docs/pictures")

// site is the status page of a real bridge, on a simulated Cove.
type site struct {
	testing.TB
	*bridge.Bridge
	url string
}

// openSite polls a fleet once and serves its page.
func openSite(t testing.TB, devices int) *site {
	t.Helper()
	sim := covesim.New(covesim.Options{Seed: 4, Devices: devices, Without: covesim.Hostile | covesim.Wedged})
	cove := httptest.NewServer(sim)
	t.Cleanup(cove.Close)
	t.Chdir(t.TempDir()) // the folder's path is shown
	c := config.Default()
	c.Cove = []config.Account{{
		Name: "msp", URL: cove.URL + "/jsonapi", ReportingURL: cove.URL + "/reporting_api", NodeURL: cove.URL + "/repserv_json",
		Username: "api-user", Password: "covesim",
	}}
	c.Poll.Rate, c.Poll.Interval = 1000, time.Hour
	c.Mail.From, c.Mail.To = "cove@msp.example", []string{"backups@msp.example"}
	c.Delivery.Directory, c.Ledger.SQLite, c.HTTP.Listen = "mails", "ledger.db", ""
	if err := os.Mkdir(c.Delivery.Directory, 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := bridge.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	b.Name, b.Version = "backup1:4711", "v1.0.0"
	if err := b.Ledger.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Options{Listen: "127.0.0.1:0", Bridge: b, Ledger: b.Ledger, Metrics: b.Metrics, Zone: b.Location})
	if err := s.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &site{t, b, "http://" + s.Addr()}
}

// get asks for a page that must be there.
func (s *site) get(path string) string {
	s.Helper()
	code, body := s.ask("GET", path, nil)
	if code != http.StatusOK {
		s.Fatalf("%s: %d %s", path, code, body)
	}
	return body
}

// ask makes a request, a POST with the form's values; redirects are followed.
func (s *site) ask(method, path string, form url.Values) (code int, body string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// run stores a run of a device, in a state and with the reason for it, and with a
// mail where it is queued.
func (s *site) run(d backup.Device, end time.Time, state backup.EntryState, status backup.Status, reason string) backup.Run {
	s.Helper()
	start := end.Add(-time.Minute)
	source := backup.DataSource{Key: "D01", Name: d.Name + " source"}
	r := backup.Run{
		ID: backup.Identity(d, nil, start, backup.Whole), Kind: backup.Whole, Job: d.Name, Device: d, Status: status, Start: start, End: end,
		Sessions: []backup.Session{{Source: source, State: backup.Ended, Status: status, Result: d.Name, Start: start, End: end, ErrorCount: 1,
			Errors: []backup.Error{{Text: d.Name, File: d.Name, Count: 2}}}},
	}
	e := backup.Entry{Run: r, Account: "msp", State: state, Reason: reason, MessageID: r.ID + "@covebridge"}
	if state == backup.EntryQueued {
		mail, err := s.Collect.Renderer.Render(r)
		if err != nil {
			s.Fatal(err)
		}
		e.Mail, e.MessageID = mail.Bytes, mail.MessageID
	}
	s.store(e)
	return r
}

// store stores an entry, of a device that is known or not.
func (s *site) store(e backup.Entry) {
	s.Helper()
	d := e.Run.Device
	record, err := s.Ledger.Load(s.Context(), d.Key())
	if err != nil {
		s.Fatal(err)
	}
	record.Account, record.Journal.Device = "msp", d
	stale, err := s.Ledger.Commit(s.Context(), []backup.Step{{Key: d.Key(), Record: record, Entries: []backup.Entry{e}}})
	if err != nil || len(stale) > 0 {
		s.Fatal(err, stale)
	}
}

// named is a device with that name.
func named(id int, name string) backup.Device {
	return backup.Device{Product: "cove", Software: "Cove Data Protection", ID: fmt.Sprint(id), Name: name, Type: backup.Server, Customer: "Acme"}
}
