package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"covebridge/bridge/collect"
)

// progress tells how far something long is: with a bar on a terminal, elsewhere
// with a line now and then, both on standard error. The lines are the log's, so
// that its level and format hold for them.
type progress struct {
	a     *app
	unit  string // what is counted: "devices"
	label string // what goes on before there is something to count
	bar   *progressbar.ProgressBar

	mu       sync.Mutex
	accounts map[string]collect.Progress
	eta      etaEstimator
	began    time.Time

	once    sync.Once
	stop    chan struct{}
	stopped chan struct{}
}

// lineInterval is the longest that nothing is told, and redrawInterval how often a bar is
// drawn anew.
const (
	lineInterval   = 2 * time.Second
	redrawInterval = time.Second
)

// spinner tells what is waited for where there is nothing to count, if it takes
// long.
func (a *app) spinner(what string) (done func()) { return a.progress("", what).end }

// progress begins to tell; end it before another one begins.
func (a *app) progress(unit, first string) *progress {
	p := &progress{a: a, unit: unit, label: first, accounts: map[string]collect.Progress{}, began: time.Now(),
		stop: make(chan struct{}), stopped: make(chan struct{})}
	every := lineInterval
	if isTerminal(a.errs) {
		every = redrawInterval
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(unwrapWriter(a.errs)), progressbar.OptionSetWidth(20),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish(),
			progressbar.OptionEnableColorCodes(false), progressbar.OptionSetRenderBlankState(false),
			progressbar.OptionSetSpinnerChangeInterval(0)) // else it draws by itself, for ever
	}
	a.progressing.Store(p)
	go p.run(every)
	return p
}

func (p *progress) run(every time.Duration) {
	defer close(p.stopped)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case now := <-tick.C:
			p.show(now)
		}
	}
}

// end ends it; a second time does no harm.
func (p *progress) end() {
	p.once.Do(func() {
		close(p.stop)
		<-p.stopped
		p.a.progressing.Store(nil)
		if p.bar != nil {
			_ = p.bar.Clear()
		}
	})
}

// restart begins to tell of something else.
func (p *progress) restart(first string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.accounts)
	p.label, p.began, p.eta = first, time.Now(), etaEstimator{}
}

// update notes how far an account is. It may be called from several goroutines.
func (p *progress) update(now collect.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if was := p.accounts[now.Account]; now.Done > 0 && now.Done < was.Done && now.Total == was.Total {
		return // overtaken
	}
	p.accounts[now.Account] = now
}

func (p *progress) show(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line, done, total := p.line(now)
	if p.bar != nil {
		p.bar.Describe(line)
		if total > 0 {
			p.bar.ChangeMax64(total)
			_ = p.bar.Set64(min(done, total-1)) // at the end it would be gone
		} else {
			_ = p.bar.Add(0)
		}
		return
	}
	if p.a.log != nil {
		p.a.log.Info(line)
		return
	}
	fmt.Fprintln(p.a.errs, line)
}

// line says how far it is.
func (p *progress) line(now time.Time) (line string, done, total int64) {
	var runs int64
	for _, a := range p.accounts {
		done, total, runs = done+a.Done, total+a.Total, runs+a.Runs
	}
	p.eta.add(now, done)
	if total == 0 && done == 0 {
		return fmt.Sprintf("%s … %s", p.label, now.Sub(p.began).Round(time.Second)), done, total
	}
	line = fmt.Sprintf("%d of %d %s", done, total, p.unit)
	if total < done { // nobody tells how many there are
		line = fmt.Sprintf("%d %s", done, p.unit)
	}
	if runs > 0 {
		line += ", " + plural(runs, "mail", "mails")
	}
	if left := p.eta.remaining(total); left > 0 {
		line += ", about " + approximately(left) + " left"
	}
	return line, done, total
}

// barWriter is standard output or error for those who write while a bar may be
// shown: it makes way, and comes back below.
type barWriter struct {
	a *app
	w io.Writer
}

func (b barWriter) Write(text []byte) (int, error) {
	if p := b.a.progressing.Load(); p != nil && p.bar != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		_ = p.bar.Clear()
	}
	return b.w.Write(text)
}

// unwrapWriter is what is written to in the end.
func unwrapWriter(w io.Writer) io.Writer {
	if b, ok := w.(barWriter); ok {
		return b.w
	}
	return w
}
