// Package chromium shows pages and mails in a real browser, for tests.
package chromium

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"covebridge/bridge/internal/realtest"
)

// patience is for a machine that does much else.
const patience = 2 * time.Minute

// Tab is a tab of a browser that ends with its test. It reaches this machine
// and nothing else.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	troubles []string
	asked    []string
}

// Open starts a browser of its own and gives its tab. Where there is no browser
// the test is skipped (see realtest.Need).
func Open(t testing.TB) *Tab {
	t.Helper()
	binary := realtest.Need(t, "chromium", "chromium")[0]
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(binary),
		chromedp.NoSandbox, // as root it does not start otherwise
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
		chromedp.WSURLReadTimeout(patience),
	)
	allocated, free := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	tab := &Tab{t: t}
	tab.ctx, _ = chromedp.NewContext(allocated, chromedp.WithListener(tab.listen))
	t.Cleanup(func() {
		ending, over := context.WithTimeout(tab.ctx, patience)
		defer over()
		if err := chromedp.Cancel(ending); err != nil {
			t.Logf("end the browser: %v", err)
		}
		free()
	})
	if err := chromedp.Do(tab.ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return tab
}

// listen notes what goes wrong in the page, and what it asks for.
func (tab *Tab) listen(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded: // violations of a policy too
		tab.troubles = append(tab.troubles, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *runtime.EventConsoleAPICalled:
		tab.troubles = append(tab.troubles, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		tab.troubles = append(tab.troubles, "exception: "+e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		tab.asked = append(tab.asked, e.Request.URL)
	}
}

// Troubles lists what the browser's console told so far: errors, violations of
// a policy, what could not be loaded.
func (tab *Tab) Troubles() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return slices.Clone(tab.troubles)
}

// Asked lists the addresses that were asked for so far.
func (tab *Tab) Asked() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return slices.Clone(tab.asked)
}

// Do does the actions one after the other; the test ends where one fails.
func (tab *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	for i, a := range actions {
		if _, err := run(tab, a); err != nil {
			tab.t.Fatalf("in the browser, action %d of %d: %v", i+1, len(actions), err)
		}
	}
}

// Get gives what an action brings, as chromedp.Title(); the test ends if it fails.
func Get[T any](tab *Tab, a chromedp.Action[T]) T {
	tab.t.Helper()
	v, err := run(tab, a)
	if err != nil {
		tab.t.Fatalf("in the browser: %v", err)
	}
	return v
}

func run[T any](tab *Tab, a chromedp.Action[T]) (T, error) {
	ctx, over := context.WithTimeout(tab.ctx, patience)
	defer over()
	return chromedp.Run(ctx, a)
}

// Size makes the window so many CSS pixels wide and high.
func (tab *Tab) Size(width, height int64) {
	tab.t.Helper()
	tab.Do(chromedp.EmulateViewport(width, height))
}

// Dark shows pages as one who wants them dark, or light, sees them.
func (tab *Tab) Dark(dark bool) {
	tab.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(tab.ctx, emulation.SetEmulatedMedia, media); err != nil {
		tab.t.Fatalf("in the browser: %v", err)
	}
}

// Wider tells how many CSS pixels the page is wider than the window: 0 where
// nobody has to scroll to the side.
func (tab *Tab) Wider() int {
	tab.t.Helper()
	return Get(tab, chromedp.Evaluate[int]("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
}
