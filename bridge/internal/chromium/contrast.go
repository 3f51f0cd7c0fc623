package chromium

import (
	"encoding/json"

	"github.com/chromedp/chromedp"
)

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

// Faint lists the texts of the page whose contrast with what is behind them is
// below 4.5, each after its contrast.
func (tab *Tab) Faint() (faint []string) {
	tab.t.Helper()
	if err := json.Unmarshal([]byte(Get(tab, chromedp.Evaluate[string](weak))), &faint); err != nil {
		tab.t.Fatal(err)
	}
	return faint
}
