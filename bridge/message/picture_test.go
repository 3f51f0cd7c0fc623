package message

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"covebridge/bridge/internal/chromium"
)

// pictured are the kinds of mail, by the golden run that shows each.
var pictured = map[string]string{
	"success": "all-good", "warning": "warning-with-errors", "failed": "failure", "silence": "long-silence", "overdue": "overdue",
	"recovery": "recovery-test-failed", "heartbeat": "heartbeat", "digest": "digest",
}

// Each kind of mail can be read on a phone, in a preview pane and on a screen,
// by those who want pages light and those who want them dark, and still where
// the style sheet is stripped. With -update, pictures of them go to docs/pictures.
func TestReadableInABrowser(t *testing.T) {
	r, pages := renderer(t), map[string]string{}
	for kind, name := range pictured {
		m, err := r.Render(goldenRuns(t)[name])
		if err != nil {
			t.Fatal(err)
		}
		pages["/"+kind] = parse(t, m.Bytes).html
		pages["/"+kind+"-stripped"] = raw.ReplaceAllString(pages["/"+kind], "")
	}
	pages["/wide"] = `<meta name=color-scheme content="light dark"><p style="width:900px;color:#888">x`
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, pages[q.URL.Path])
	}))
	defer site.Close()
	tab := chromium.Open(t)
	look := func(page string, width int64, dark bool) (wider int, faint []string) {
		tab.Size(width, 800)
		tab.Dark(dark)
		tab.Do(chromedp.Navigate(site.URL + page))
		return tab.Wider(), tab.Faint()
	}
	if wider, faint := look("/wide", 380, false); wider == 0 || len(faint) != 1 {
		t.Fatalf("a page that is too wide and too faint shows as %d pixels too wide, %q", wider, faint)
	}
	for page := range pages {
		if page == "/wide" {
			continue
		}
		for _, width := range []int64{380, 640, 1000} {
			for mode, dark := range map[string]bool{"light": false, "dark": true} {
				wider, faint := look(page, width, dark)
				if wider > 0 {
					t.Errorf("%s, %d pixels, %s: %d pixels too wide", page, width, mode, wider)
				}
				if len(faint) > 0 {
					t.Errorf("%s, %d pixels, %s: too faint: %q", page, width, mode, faint)
				}
				if *update && !strings.HasSuffix(page, "-stripped") {
					path := filepath.Join("../../docs/pictures", fmt.Sprintf("%s-%d-%s.png", page[1:], width, mode))
					tab.Picture(path, true)
					chromium.FewColours(t, path)
				}
			}
		}
	}
}

// Nor do those read less who have a mail program that makes pages dark by force,
// whatever the page says of itself.
func TestReadableWhenForcedDark(t *testing.T) {
	r := renderer(t)
	pages := map[string]string{"/faint": `<p style="color:#888">faint</p><p style="color:#222">plain</p>`}
	for kind, name := range pictured {
		m, err := r.Render(goldenRuns(t)[name])
		if err != nil {
			t.Fatal(err)
		}
		pages["/"+kind] = strings.Replace(parse(t, m.Bytes).html, `<meta name=color-scheme content="light dark">`, "", 1)
		if strings.Contains(pages["/"+kind], "color-scheme") {
			t.Fatal("the page says that it can be dark")
		}
		pages["/"+kind+"-stripped"] = raw.ReplaceAllString(pages["/"+kind], "")
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, pages[q.URL.Path])
	}))
	defer site.Close()
	tab := chromium.Open(t)
	look := func(page string, how chromium.Forced) (faint []string) {
		tab.Size(640, 800)
		tab.Do(chromedp.Navigate(site.URL + page))
		tab.Force(how)
		return tab.FaintAsDrawn(640)
	}
	if faint := look("/faint", ""); len(faint) != 1 || !strings.HasSuffix(faint[0], " faint") {
		t.Fatalf("of a faint and a plain text, these are too faint: %q", faint)
	}
	delete(pages, "/faint")
	for _, how := range []chromium.Forced{chromium.Inverted, chromium.Darkened, chromium.WhiteText} {
		for page := range pages {
			if faint := look(page, how); len(faint) > 0 {
				t.Errorf("%s, %s: too faint: %q", page, how, faint)
			}
		}
	}
}
