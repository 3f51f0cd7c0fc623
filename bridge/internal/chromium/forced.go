package chromium

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Forced is how a mail program makes a page dark that did not ask for it.
type Forced string

const (
	Inverted  Forced = "inverted"   // every colour is turned, by the filter that is usual for it
	Darkened  Forced = "darkened"   // each colour by itself, as Chromium's own forced dark mode does
	WhiteText Forced = "white text" // the text and the page behind it alone are turned
)

var styles = map[Forced]string{
	Inverted:  "html{background:#fff;filter:invert(1) hue-rotate(180deg)}",
	WhiteText: "html,body{background:#1b1b1b!important}*{color:#fff!important}",
}

// Force shows the page that is open as such a program does; others that are opened
// are shown as they are, but Darkened holds until "" is forced.
func (tab *Tab) Force(how Forced) {
	tab.t.Helper()
	dark := how == Darkened
	if _, err := chromedp.Call(tab.ctx, emulation.SetAutoDarkModeOverride, emulation.SetAutoDarkModeOverrideParams{Enabled: &dark}); err != nil {
		tab.t.Fatalf("in the browser: %v", err)
	}
	Get(tab, chromedp.Evaluate[bool](fmt.Sprintf(`{const s = document.createElement("style"); s.textContent = %q; document.head.append(s)} true`, styles[how])))
}

// scale is in how many pixels a CSS pixel is drawn: enough for the strokes of small
// letters to have pixels of their full colour.
const scale = 3

// texts gives each line of text with where it is drawn.
const texts = `(() => {
	const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = texts.nextNode();) {
		if (!n.data.trim()) continue;
		const range = document.createRange();
		range.selectNodeContents(n);
		for (const r of range.getClientRects()) found.push({text: n.data.trim(), x: r.left + scrollX, y: r.top + scrollY, w: r.width, h: r.height});
	}
	return JSON.stringify(found);
})()`

// FaintAsDrawn is Faint by what the browser draws, whatever turned the colours: of
// a line's pixels, the most frequent is what is behind it, and the one that differs
// most from it is the text. It leaves the window in another size.
func (tab *Tab) FaintAsDrawn(width int64) (faint []string) {
	tab.t.Helper()
	height := Get(tab, chromedp.Evaluate[int64]("document.documentElement.scrollHeight"))
	tab.Do(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale)))
	var lines []struct {
		Text       string
		X, Y, W, H float64
	}
	if err := json.Unmarshal([]byte(Get(tab, chromedp.Evaluate[string](texts))), &lines); err != nil {
		tab.t.Fatal(err)
	}
	drawn := tab.drawn()
	for _, l := range lines {
		at := image.Rect(int(l.X*scale), int(l.Y*scale), int((l.X+l.W)*scale), int((l.Y+l.H)*scale)).Intersect(drawn.Bounds())
		if c := contrast(drawn, at); c < 4.5 {
			faint = append(faint, fmt.Sprintf("%.1f %s", c, l.Text))
		}
	}
	return faint
}

// drawn gives what the window shows.
func (tab *Tab) drawn() *image.RGBA {
	tab.t.Helper()
	fast := true // to make; what is kept nowhere may be large
	taken, err := chromedp.Call(tab.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{OptimizeForSpeed: &fast})
	if err != nil {
		tab.t.Fatalf("in the browser: %v", err)
	}
	picture, err := png.Decode(bytes.NewReader(taken.Data))
	if err != nil {
		tab.t.Fatal(err)
	}
	drawn, ok := picture.(*image.RGBA) // as pictures are in which nothing is transparent
	if !ok {
		tab.t.Fatalf("the browser's picture is a %T", picture)
	}
	return drawn
}

// contrast is that of WCAG 2.1 between the most frequent colour and the one that
// differs most from it.
func contrast(drawn *image.RGBA, at image.Rectangle) (most float64) {
	count, back := map[color.RGBA]int{}, color.RGBA{}
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for x := at.Min.X; x < at.Max.X; {
			c, from := drawn.RGBAAt(x, y), x
			for x < at.Max.X && drawn.RGBAAt(x, y) == c {
				x++
			}
			if count[c] += x - from; count[c] > count[back] {
				back = c
			}
		}
	}
	for c := range count {
		a, b := light(c), light(back)
		most = max(most, (max(a, b)+0.05)/(min(a, b)+0.05))
	}
	return most
}

// light is a colour's relative luminance.
func light(c color.RGBA) float64 {
	part := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*part(c.R) + 0.7152*part(c.G) + 0.0722*part(c.B)
}
