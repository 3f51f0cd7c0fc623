package chromium

import (
	"os"

	"github.com/chromedp/chromedp"
)

// Picture writes what the window shows as a PNG; whole: all of the page.
func (tab *Tab) Picture(path string, whole bool) {
	tab.t.Helper()
	take := chromedp.CaptureScreenshot()
	if whole {
		take = chromedp.FullScreenshot(100)
	}
	if err := os.WriteFile(path, Get(tab, take), 0o644); err != nil {
		tab.t.Fatal(err)
	}
}
