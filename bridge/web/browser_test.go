package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/chromium"
	"covebridge/bridge/ledger"
)

// Every page can be read on a phone and on a screen, light and dark, asks nobody
// else for anything, and violates none of its policies. With -update, pictures of
// them go to docs/pictures.
func TestPagesInABrowser(t *testing.T) {
	tab := chromium.Open(t)
	pictures, err := filepath.Abs("../../docs/pictures")
	if err != nil {
		t.Fatal(err)
	}
	s := openSite(t, 40)
	runs, err := s.Ledger.Entries(t.Context(), ledger.Query{State: backup.EntrySent})
	if err != nil || len(runs) == 0 {
		t.Fatal(runs, err)
	}
	slices.SortStableFunc(runs, func(a, b backup.Entry) int { return int(b.Run.Status - a.Run.Status) }) // the worst tells most
	refused := named(2000, "srv09_archive")
	refused.Customer = "Globex"
	s.run(refused, time.Now().Add(-time.Hour), backup.EntryFailed, backup.Warning, "552 5.3.4 message size exceeds fixed limit")
	hostile := s.run(named(9000, strings.Join(nasty, strings.Repeat("W", 90))), time.Now().Add(-30*24*time.Hour), backup.EntryQueued, backup.Failed, nasty[0])
	pages := map[string]string{
		"overview": "/", "runs": "/runs?q=srv", "run": "/runs/" + url.PathEscape(runs[0].Run.ID), "devices": "/devices",
		"device":      "/devices/" + url.PathEscape(runs[0].Run.Device.Key()),
		"hostile-run": "/runs/" + url.PathEscape(hostile.ID), "hostile-device": "/devices/cove-9000", "hostile-list": "/runs?q=alert", "nowhere": "/nowhere",
	}
	for name, path := range pages {
		for _, width := range []int64{380, 1000} {
			for mode, dark := range map[string]bool{"light": false, "dark": true} {
				tab.Size(width, 900)
				tab.Dark(dark)
				tab.Do(chromedp.Navigate(s.url + path))
				if wider := tab.Wider(); wider > 0 {
					t.Errorf("%s, %d pixels, %s: %d pixels too wide", name, width, mode, wider)
				}
				if faint := tab.Faint(); len(faint) > 0 {
					t.Errorf("%s, %d pixels, %s: too faint: %q", name, width, mode, faint)
				}
				if *update && !strings.HasPrefix(name, "hostile") && (width == 1000) == (mode == "light") && name != "nowhere" {
					picture := filepath.Join(pictures, fmt.Sprintf("page-%s-%d-%s.png", name, width, mode))
					tab.Picture(picture, false)
					chromium.FewColours(t, picture)
				}
			}
		}
	}
	troubles := slices.DeleteFunc(tab.Troubles(), func(said string) bool { return strings.Contains(said, "404") && strings.HasSuffix(said, "/nowhere") })
	if len(troubles) > 0 {
		t.Errorf("the browser tells of %q", troubles)
	}
	style, framed := false, false
	for _, asked := range tab.Asked() {
		style = style || asked == s.url+"/style.css"
		framed = framed || strings.HasSuffix(asked, "/html")
		if !strings.HasPrefix(asked, s.url+"/") && !strings.HasPrefix(asked, "data:") { // the browser's own icon of a calendar
			t.Errorf("it asks %s", asked)
		}
	}
	if !style || !framed {
		t.Errorf("style sheet read: %v, mail framed: %v", style, framed)
	}
}

// A mail's HTML stands in a frame that runs nothing and reaches nothing, whatever
// is in it, and shows all the same.
func TestMailInAFrame(t *testing.T) {
	tab := chromium.Open(t)
	s := openSite(t, 2)
	reached := 0
	outside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	defer outside.Close()
	e := backup.Entry{State: backup.EntryQueued, MessageID: "evil@covebridge"}
	e.Run = backup.Run{ID: "cove-9000-evil", Kind: backup.Whole, Job: "evil", Device: named(9000, "evil"), End: time.Now()}
	e.Mail = []byte(strings.NewReplacer("OUTSIDE", outside.URL, "\n", "\r\n").Replace(`From: a@msp.example
To: b@msp.example
Date: Sat, 28 Nov 2026 06:00:00 +0000
Subject: evil
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=x

--x
Content-Type: text/plain

text
--x
Content-Type: text/html

<style>p{color:rgb(1,2,3)}</style><p>shown</p><script>document.title="ran"; top.document.title="ran"</script>
<img src="OUTSIDE/pixel.png"><img src=x onerror="top.location='OUTSIDE/top'">
<form action="/poll" method="post"><button>press</button></form><meta http-equiv=refresh content="0;url=OUTSIDE/refresh">
--x--
`))
	s.store(e)
	page := s.url + "/runs/" + e.Run.ID
	tab.Do(chromedp.Navigate(page), chromedp.Navigate(page+"/html"))
	if colour := chromium.Get(tab, chromedp.Evaluate[string](`getComputedStyle(document.querySelector("p")).color`)); colour != "rgb(1, 2, 3)" {
		t.Errorf("its style is %s", colour)
	}
	if title := chromium.Get(tab, chromedp.Title()); title != "" {
		t.Errorf("a script ran: %q", title)
	}
	if reached > 0 {
		t.Errorf("it reached another server %d times", reached)
	}
	if told := strings.Join(tab.Troubles(), "\n"); !strings.Contains(told, "script") || !strings.Contains(told, "Content Security Policy") {
		t.Errorf("the browser tells of nothing held back: %q", told)
	}
}

// All can be done by keyboard: the first key leads past the navigation, each
// stop can be seen, and the buttons are among them.
func TestKeyboard(t *testing.T) {
	tab := chromium.Open(t)
	s := openSite(t, 2)
	sent, err := s.Ledger.Entries(t.Context(), ledger.Query{State: backup.EntrySent, Limit: 1})
	if err != nil || len(sent) != 1 {
		t.Fatal(sent, err)
	}
	path := "/runs/" + url.PathEscape(sent[0].Run.ID)
	tab.Size(1000, 900)
	tab.Do(chromedp.Navigate(s.url + path))
	here := func() string {
		return chromium.Get(tab, chromedp.Evaluate[string](`(() => {
			const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
			const seen = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 && b.width > 0 && b.left >= 0;
			return (e.id || e.textContent.trim().slice(0, 20) || e.tagName) + (seen || e.tagName === "IFRAME" ? "" : " (can't be seen)");
		})()`))
	}
	tab.Do(chromedp.KeyEvent(kb.Tab))
	if at := here(); at != "Skip to content" {
		t.Errorf("the first stop is %q", at)
	}
	tab.Do(chromedp.KeyEvent(kb.Enter))
	if at := here(); !strings.HasPrefix(at, "content") {
		t.Errorf("it leads to %q", at)
	}
	var stops []string
	for range 12 {
		tab.Do(chromedp.KeyEvent(kb.Tab))
		at := here()
		stops = append(stops, at)
		if strings.Contains(at, "can't be seen") {
			t.Errorf("stop %q", at)
		}
		if at == "Send again" {
			break
		}
	}
	if !slices.Contains(stops, "Send again") {
		t.Fatalf("no button among %q", stops)
	}
	tab.Do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(".notice"))
	e, _, err := s.Ledger.Entry(t.Context(), sent[0].Run.ID)
	if err != nil || e.State != backup.EntryQueued {
		t.Errorf("after Enter: %s, %v", e.State, err)
	}
}
