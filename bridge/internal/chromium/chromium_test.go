package chromium

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A page is shown, its troubles are told, and nothing outside is reached.
func TestTab(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src *")
		w.Write([]byte(`<title>hi</title><link rel=icon href="data:,"><div style="width:500px">wide</div><img src="http://192.0.2.1.example/">`)) //nolint:errcheck // see below
	}))
	defer site.Close()
	tab := Open(t)
	tab.Size(380, 700)
	tab.Dark(true)
	tab.Do(chromedp.Navigate(site.URL))
	title, dark := Get(tab, chromedp.Title()), Get(tab, chromedp.Evaluate[bool](`matchMedia("(prefers-color-scheme: dark)").matches`))
	if title != "hi" || !dark {
		t.Errorf("title %q, dark %v", title, dark)
	}
	if n := tab.Wider(); n != 0 { // the policy does not let the width count
		t.Errorf("%d pixels too wide", n)
	}
	told := strings.Join(tab.Troubles(), "\n")
	for _, want := range []string{"Content Security Policy", "ERR_NAME_NOT_RESOLVED"} {
		if !strings.Contains(told, want) {
			t.Errorf("no %q in %q", want, told)
		}
	}
	if !slices.Contains(tab.Asked(), "http://192.0.2.1.example/") {
		t.Errorf("asked: %q", tab.Asked())
	}
	path := filepath.Join(t.TempDir(), "page.png")
	tab.Picture(path, false)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(data)); err != nil || c.Width != 380 || c.Height != 700 {
		t.Errorf("picture: %+v, %v", c, err)
	}
	tab.Do(chromedp.Navigate("data:text/html,<div style='width:500px'>wide</div>"))
	if n := tab.Wider(); n < 100 {
		t.Errorf("only %d pixels too wide", n)
	}
}
