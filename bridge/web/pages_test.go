package web_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

var (
	link    = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	runLink = regexp.MustCompile(`class="name" href="/runs/([^"]*)"`)
)

// Every link of every page leads somewhere, and only here.
func TestLinks(t *testing.T) {
	s := openSite(t, 10)
	seen, todo := map[string]bool{"/": true}, []string{"/"}
	for len(todo) > 0 && len(seen) < 600 {
		path := todo[0]
		todo = todo[1:]
		if strings.HasSuffix(path, "/raw") || strings.HasSuffix(path, "/html") || strings.HasSuffix(path, ".css") || strings.HasSuffix(path, ".svg") {
			s.get(path)
			continue
		}
		body := s.get(path)
		if !strings.Contains(body, "</html>") {
			t.Errorf("%s is cut off", path)
		}
		for _, m := range link.FindAllStringSubmatch(body, -1) {
			to := html.UnescapeString(m[1])
			switch {
			case to == "#content", to == "/poll", strings.HasSuffix(to, "/again"):
			case strings.HasPrefix(to, "https://backup.management/"): // the console
			case !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//"):
				t.Errorf("%s leads to %s", path, to)
			case !seen[to]:
				seen[to] = true
				todo = append(todo, to)
			}
		}
	}
	for _, kind := range []string{"/runs/cove-", "/devices/cove-", "/runs?customer="} {
		if !slices.ContainsFunc(todoOf(seen), func(p string) bool { return strings.HasPrefix(p, kind) }) {
			t.Errorf("no page leads to %s… (%d were seen)", kind, len(seen))
		}
	}
}

func todoOf(seen map[string]bool) (paths []string) {
	for path := range seen {
		paths = append(paths, path)
	}
	return paths
}

// Runs are listed newest first, each once, page by page, whatever is searched.
func TestRuns(t *testing.T) {
	s := openSite(t, 3)
	now := time.Now().UTC().Truncate(time.Second)
	for i := range 120 { // some end at the same moment
		status, state := backup.Status(i%3), backup.EntryFiltered
		if i%10 == 0 {
			state = backup.EntryBaseline
		}
		d := named(5000+i, fmt.Sprintf("many%03d", i))
		if i%2 == 0 {
			d.Customer = "Büro & Söhne 100%"
		}
		s.run(d, now.Add(-time.Duration(i/7)*24*time.Hour), state, status, "")
	}
	failed := backup.Failed
	day := now.In(s.Location).AddDate(0, 0, -3)
	midnight := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, s.Location)
	s.run(named(5200, "many before midnight"), midnight.Add(-time.Minute), backup.EntryFiltered, backup.Success, "")
	s.run(named(5201, "many after midnight"), midnight.Add(time.Minute), backup.EntryFiltered, backup.Success, "")
	for search, q := range map[string]ledger.Query{
		"":                     {},
		"q=MANY":               {Text: "many"},
		"q=many&status=Failed": {Text: "many", Status: &failed},
		"state=baseline":       {State: backup.EntryBaseline},
		"customer=b%C3%BCro+%26+s%C3%B6hne+100%25":                                          {Customer: "Büro & Söhne 100%"},
		"q=many&since=" + day.Format(time.DateOnly) + "&until=" + day.Format(time.DateOnly): {Text: "many", Since: midnight, Until: midnight.AddDate(0, 0, 1)},
		"q=nothing": {Text: "nothing"},
	} {
		want, err := s.Ledger.Entries(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		pages := 0
		for path := "/runs?" + search; path != ""; pages++ {
			body := s.get(path)
			here := runLink.FindAllStringSubmatch(body, -1)
			if len(here) > 50 {
				t.Errorf("%s: %d runs on a page", search, len(here))
			}
			for _, m := range here {
				id, err := url.PathUnescape(m[1])
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, id)
			}
			path = ""
			if m := regexp.MustCompile(`href="([^"]*)" rel="next"`).FindStringSubmatch(body); m != nil {
				path = html.UnescapeString(m[1])
			}
			if way := regexp.MustCompile(`<a href="([^"]*)">Newest<`).FindStringSubmatch(body); (pages > 0) != (way != nil) || way != nil && strings.Contains(way[1], "before") {
				t.Errorf("%s: page %d, the way back: %q", search, pages, way)
			}
		}
		ids := make([]string, len(want))
		for i, e := range want {
			ids[i] = e.Run.ID
		}
		if !slices.Equal(got, ids) || (len(want)+49)/50 > pages {
			t.Errorf("%s: %d runs on %d pages, not %d, or in another order", search, len(got), pages, len(want))
		}
		if len(want) == 0 && search != "q=nothing" {
			t.Errorf("%s finds nothing: it proves nothing", search)
		}
	}
	for path, says := range map[string]string{
		"/runs?status=Odd": "is no status", "/runs?state=Odd": "is no state", "/runs?since=yesterday": "is no day", "/runs?until=2026-13-01": "is no day",
		"/runs?before=1": "cut off", "/runs?before=x,y": "cut off",
	} {
		if code, body := s.ask("GET", path, nil); code != http.StatusBadRequest || !strings.Contains(body, says) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

// One run tells what became of it and why, and shows its mail in three ways.
func TestRun(t *testing.T) {
	s := openSite(t, 3)
	now := time.Now().Add(-time.Hour)
	for state, why := range map[backup.EntryState]string{
		backup.EntryFiltered: "A filter stopped it: the rule", backup.EntryBaseline: "poll.backfill", backup.EntryFailed: "It was given up: the rule",
	} {
		r := s.run(named(7000+int(state[2]), "the rule"), now, state, backup.Warning, "the rule")
		body := s.get("/runs/" + url.PathEscape(r.ID))
		for _, want := range []string{why, `class="badge warning">Warning`, `class="state ` + string(state), "the rule source", "× 2", "<code>" + r.ID} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %q in %s", state, want, body)
			}
		}
		if strings.Contains(body, "<iframe") {
			t.Errorf("%s: a mail is shown that is not there", state)
		}
		if state == backup.EntryFailed && strings.Contains(s.get("/runs/"+url.PathEscape(r.ID)+"?queued=1"), "It is queued.") {
			t.Error("one that was given up is called queued")
		}
		if code, _ := s.ask("GET", "/runs/"+url.PathEscape(r.ID)+"/html", nil); code != http.StatusNotFound {
			t.Errorf("%s: %d for its HTML", state, code)
		}
	}
	sent, err := s.Ledger.Entries(t.Context(), ledger.Query{State: backup.EntrySent, Limit: 1})
	if err != nil || len(sent) != 1 {
		t.Fatal(sent, err)
	}
	path := "/runs/" + url.PathEscape(sent[0].Run.ID)
	body := s.get(path)
	for _, want := range []string{"The mailbox has it: ", "<strong>queued</strong>", "<strong>sending</strong>", "<strong>sent</strong>",
		`<iframe sandbox src="` + path + `/html"`, "Backup software: Cove Data Protection", "<dt>Subject</dt><dd><bdi>[Cove] "} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in %s", want, body)
		}
	}
	whole, _, err := s.Ledger.Entry(t.Context(), sent[0].Run.ID)
	if err != nil {
		t.Fatal(err)
	}
	if raw := s.get(path + "/raw"); raw != string(whole.Mail) {
		t.Errorf("raw: %q", raw)
	}
	resp, err := http.Get(s.url + path + "/raw")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("raw is %s: a browser would show it as a page", got)
	}
	resp, err = http.Get(s.url + path + "/html")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got, want := resp.Header.Get("Content-Security-Policy"), "sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'"; got != want {
		t.Errorf("policy of a mail:\n%s\nnot\n%s", got, want)
	}
	if got := resp.Header.Values("X-Frame-Options"); !slices.Equal(got, []string{"SAMEORIGIN"}) {
		t.Errorf("X-Frame-Options %q", got)
	}

	if !strings.Contains(body, "<button>Send again</button>") || strings.Contains(body, "It is queued.") {
		t.Errorf("of one that was sent: %s", body)
	}
	if code, body := s.ask("POST", path+"/again", url.Values{}); code != http.StatusOK || !strings.Contains(body, "It is queued.") || !strings.Contains(body, "<button>Send now</button>") {
		t.Errorf("again: %d %s", code, body)
	}
	e, events, err := s.Ledger.Entry(t.Context(), sent[0].Run.ID)
	if err != nil || e.State != backup.EntryQueued || events[len(events)-1].What != "resend" {
		t.Errorf("after Send again: %s, %v, %v", e.State, events, err)
	}
	taken, err := s.Ledger.Take(t.Context(), 1)
	if err != nil || len(taken) != 1 {
		t.Fatal(taken, err)
	}
	if lost, err := s.Ledger.Begin(t.Context(), []string{taken[0].Run.ID}, ""); err != nil || lost != nil {
		t.Fatal(lost, err)
	}
	if body := s.get(path + "?queued=1"); !strings.Contains(body, "It is on its way.") || strings.Contains(body, "<button") {
		t.Errorf("while it is being sent: %s", body)
	}
	broken := named(7999, "broken")
	r := backup.Run{ID: "cove-broken", Kind: backup.Whole, Job: "broken", Device: broken, End: now}
	s.store(backup.Entry{Run: r, State: backup.EntryQueued, MessageID: "broken", Mail: []byte("no mail at all")})
	if body := s.get("/runs/cove-broken"); !strings.Contains(body, "It can't be read: read mail: ") || strings.Contains(body, "<iframe") {
		t.Errorf("a mail that can't be read: %s", body)
	}
	for _, gone := range []string{"/runs/cove-0-20000101T000000Z", "/runs/cove-", "/devices/cove-0", "/nothing", "/devices/"} {
		if code, body := s.ask("GET", gone, nil); code != http.StatusNotFound || !strings.Contains(body, `class="problem"`) {
			t.Errorf("%s: %d %s", gone, code, body)
		}
	}
	if code, _ := s.ask("POST", "/runs/cove-0-20000101T000000Z/again", url.Values{}); code != http.StatusNotFound {
		t.Errorf("again, of no run: %d", code)
	}
}

// The overview has what is wrong first, with its remedy.
func TestOverview(t *testing.T) {
	s := openSite(t, 3)
	s.run(named(7000, "given"), time.Now(), backup.EntryFailed, backup.Failed, "too big")
	body := s.get("/")
	last := 0
	for _, want := range []string{`<section class="finding failed">`, "mails are given up", "the newest: too big", "→ <code>covebridge history --state failed</code> lists them",
		"0 mails", "Success</a>, ", "Failed</a>", "median ", "<h2>Accounts</h2>", ">msp<", "3 devices", "v1.0.0"} {
		i := strings.Index(body, want)
		if i < last {
			t.Errorf("%q is missing, or before what it should follow: %s", want, body)
		}
		last = max(i, last)
	}
	if code, body := s.ask("POST", "/poll", url.Values{"account": {"<b>nobody"}}); code != http.StatusConflict || !strings.Contains(body, "polls no account &#34;&lt;b&gt;nobody&#34;") {
		t.Errorf("poll of an unknown account: %d %s", code, body)
	}
	if code, body := s.ask("POST", "/poll", url.Values{"account": {"msp"}}); code != http.StatusConflict || !strings.Contains(body, "not polled any more") {
		t.Errorf("poll of one that is not polled: %d %s", code, body)
	}
	if strings.Contains(s.get("/?polled=nobody"), "nobody") {
		t.Error("a notice can be made up by a link")
	}
}

// Devices are shown page by page, with their last 28 days, and can be searched.
func TestDevices(t *testing.T) {
	s := openSite(t, 3)
	var steps []backup.Step
	past := []backup.Past{
		{Start: time.Date(2026, 11, 22, 23, 0, 0, 0, s.Location), Status: backup.Failed}, // on a day that the bar does not name
		{Start: time.Date(2026, 11, 23, 1, 0, 0, 0, s.Location), Status: backup.Failed},
		{Start: time.Date(2026, 11, 23, 5, 0, 0, 0, s.Location), Status: backup.Success},
		{Start: time.Date(2026, 11, 24, 1, 0, 0, 0, s.Location), Status: backup.Success},
	}
	for i := range 125 {
		d := named(2000000+i, fmt.Sprintf("more%03d", i))
		d.ColourBar = make([]backup.Day, 28)
		// The product tells of the night's second session alone, and of the other day's not yet.
		d.ColourBar[26], d.ColourBar[27] = backup.Day{Date: "2026-11-23", Word: "Completed"}, backup.Day{Date: "2026-11-24"}
		d.Console = "https://backup.management/"
		steps = append(steps, backup.Step{Key: d.Key(), Record: backup.Record{Account: "msp", Journal: backup.Journal{Device: d, Past: past}}})
	}
	if stale, err := s.Ledger.Commit(t.Context(), steps); err != nil || len(stale) > 0 {
		t.Fatal(stale, err)
	}
	all, err := s.Ledger.Devices(t.Context())
	if err != nil || len(all) < 120 {
		t.Fatal(len(all), err)
	}
	var got []string
	bars := 0
	for path := "/devices"; path != ""; {
		body := s.get(path)
		bars += strings.Count(body, `class="bar" role="img" aria-label="28 days: `)
		for _, m := range regexp.MustCompile(`class="name" href="/devices/([^"]*)"`).FindAllStringSubmatch(body, -1) {
			got = append(got, m[1])
		}
		path = ""
		if m := regexp.MustCompile(`href="([^"]*)" rel="next"`).FindStringSubmatch(body); m != nil {
			path = html.UnescapeString(m[1])
		}
	}
	want := make([]string, len(all))
	for i, d := range all {
		want[i] = d.Key()
	}
	if !slices.Equal(got, want) || bars < 100 {
		t.Errorf("%d devices and %d bars, not %d", len(got), bars, len(want))
	}
	d := all[len(all)-1]
	if body := s.get("/devices?q=" + url.QueryEscape(strings.ToUpper(d.Name))); !strings.Contains(body, `"28 days: 1 Success, 0 Warning, 1 Failed"`) || !strings.Contains(body, "/devices/"+d.Key()+`"`) || strings.Contains(body, "/devices/"+all[0].Key()+`"`) {
		t.Errorf("a search for %s: %s", d.Name, body)
	}
	body := s.get("/devices/" + d.Key())
	for _, want := range []string{d.Type, "<dt>Account</dt><dd>msp", `href="https://backup.management/`, "<h2>Runs</h2>",
		`"28 days: 1 Success, 0 Warning, 1 Failed"`, `"failed" title="2026-11-23: Failed"`, `"success" title="2026-11-24: Success"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in %s", want, body)
		}
	}
}

var nasty = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><style>*{display:none}</style>`,
	"javascript:alert(1)", "{{.}}", "a\r\nSet-Cookie: x=1", "\u202egnp.exe", `%2F..%2F?#&`,
}

// Names are data: they begin no markup, no address and no header anywhere.
func TestHostileNames(t *testing.T) {
	s := openSite(t, 2)
	for i, name := range nasty {
		d := named(9000+i, name)
		d.Alias, d.Computer, d.OS, d.Customer, d.CustomerPath, d.Profile, d.Console = name, name, name, name, []string{name, name}, name, "javascript:"+name
		if i == 0 {
			d.Console = "http://evil.example/"
		}
		d.ColourBar = []backup.Day{{Date: name, Word: name}}
		r := s.run(d, time.Now(), backup.EntryQueued, backup.Failed, name)
		mail := "/runs/" + url.PathEscape(r.ID)
		for _, path := range []string{mail, "/devices/" + url.PathEscape(d.Key()), "/runs?" + url.Values{"q": {name}, "customer": {name}}.Encode(), "/devices?" + url.Values{"q": {name}}.Encode(), "/runs", "/devices"} {
			body := s.get(path)
			for _, bad := range []string{"<script", "<img", "<style", "onerror=alert(1)>", "onmouseover='", `href="javascript:`, `href="http:`, "Set-Cookie: x=1\r\n\r\n"} {
				if strings.Contains(body, bad) {
					t.Errorf("%s holds %q", path, bad)
				}
			}
			if strings.HasPrefix(path, "/runs/") && !strings.Contains(body, "Failed") {
				t.Errorf("%s shows nothing", path)
			}
		}
	}
	for _, path := range []string{"/runs/%3Cscript%3E", "/devices/%3Cscript%3E", "/runs?state=%3Cscript%3E", "/runs?since=%3Cscript%3E", "/%3Cscript%3E"} {
		if _, body := s.ask("GET", path, nil); strings.Contains(body, "<script") {
			t.Errorf("%s answers with its own markup", path)
		}
	}
}
