package message

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"covebridge/bridge/internal/chromium"
)

// pictured are the kinds of mail, by the golden run that shows each.
var pictured = map[string]string{
	"success": "all-good", "warning": "warning-with-errors", "failed": "failure", "silence": "long-silence", "overdue": "overdue",
}

// weak gives each text whose contrast with what is behind it is below 4.5, as
// WCAG 2.1 (1.4.3) wants it, with the opacity of all that it stands in.
const weak = `(() => {
	const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return [m[0], m[1], m[2], m.length > 3 ? m[3] : 1] };
	const over = (c, under) => [0, 1, 2].map(i => c[i] * c[3] + under[i] * (1 - c[3]));
	const light = c => { const l = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2] };
	const probe = document.createElement("div");
	probe.style.color = "Canvas";
	document.documentElement.append(probe);
	const canvas = parse(getComputedStyle(probe).color);
	probe.remove();
	const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = texts.nextNode();) {
		if (!n.data.trim()) continue;
		const chain = [];
		for (let e = n.parentElement; e; e = e.parentElement) chain.unshift(e);
		let back = canvas, opacity = 1;
		for (const e of chain) {
			const s = getComputedStyle(e), c = parse(s.backgroundColor);
			opacity *= Number(s.opacity);
			back = over([c[0], c[1], c[2], c[3] * opacity], back);
		}
		const c = parse(getComputedStyle(n.parentElement).color);
		const a = light(over([c[0], c[1], c[2], c[3] * opacity], back)), b = light(back);
		const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (contrast < 4.5) found.push(contrast.toFixed(1) + " " + n.data.trim());
	}
	return JSON.stringify(found);
})()`

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
		if err := json.Unmarshal([]byte(chromium.Get(tab, chromedp.Evaluate[string](weak))), &faint); err != nil {
			t.Fatal(err)
		}
		return tab.Wider(), faint
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
					fewColours(t, path)
				}
			}
		}
	}
}

// fewColours writes a picture anew in its 96 most frequent colours, which makes
// it far smaller.
func fewColours(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	full, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	count := map[color.Color]int{}
	for y := range full.Bounds().Dy() {
		for x := range full.Bounds().Dx() {
			count[full.At(x, y)]++
		}
	}
	frequent := slices.SortedFunc(maps.Keys(count), func(a, b color.Color) int {
		return cmp.Or(count[b]-count[a], strings.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	palette := color.Palette{color.RGBA{0x17, 0x6b, 0x3a, 255}, color.RGBA{0x8f, 0x56, 0, 255}, color.RGBA{0xb3, 0x26, 0x1e, 255}} // however rare
	few := image.NewPaletted(full.Bounds(), append(palette, frequent[:min(len(frequent), 96)]...))
	draw.Draw(few, few.Bounds(), full, image.Point{}, draw.Src)
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, few); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, small.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
