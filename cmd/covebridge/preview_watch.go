package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/config"
)

// debounce is for how long nothing more must be written before the templates are
// read: editors write a file in several steps.
const debounce = 100 * time.Millisecond

// live is a page that follows the templates.
type live struct {
	config *config.Config
	runs   []backup.Run
	hosts  []string // by which a browser may name us: others are pages that guess the address

	mu   sync.Mutex
	page page
}

// watchTemplates serves the mails of runs to this machine alone, and renders them anew
// whenever a template is saved, until ctx ends.
func (a *app) watchTemplates(ctx context.Context, c *config.Config, runs []backup.Run, open bool) error {
	files, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the templates: %w", err)
	}
	defer files.Close()
	if err := files.Add(c.Mail.Templates); err != nil { // the folder: editors replace files
		return fmt.Errorf("watch %s: %w", c.Mail.Templates, err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve the preview: %w", err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	l := &live{config: c, runs: runs, hosts: []string{ln.Addr().String(), "localhost:" + port}, page: page{Live: true}}
	rendering := a.spinner("rendering the mails")
	came := l.render()
	rendering()
	fmt.Fprintln(a.errs, came)
	server := &http.Server{Handler: l.handler(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	defer func() { server.Close(); <-served }()

	address := "http://" + ln.Addr().String() + "/"
	fmt.Fprintf(a.out, "%s shows the mails, by the templates in %s; Ctrl-C ends it\n", address, c.Mail.Templates)
	if open {
		a.browse(ctx, address)
	}
	wait := time.NewTimer(debounce)
	wait.Stop()
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-files.Errors:
			return fmt.Errorf("watch %s: %w", c.Mail.Templates, err)
		case e := <-files.Events:
			if filepath.Ext(e.Name) == ".tmpl" {
				wait.Reset(debounce)
			}
		case <-wait.C:
			fmt.Fprintln(a.errs, l.render())
		}
	}
}

// render makes the mails by the templates as they are now, and says in a line
// what came of it. Where they can't be used, the mails from before stay.
func (l *live) render() string {
	now := page{Live: true}
	r, err := bridge.NewRenderer(l.config)
	for _, run := range l.runs {
		if err != nil {
			break
		}
		m, renderErr := r.Render(run)
		if err = renderErr; err == nil {
			err = now.add(m.Bytes)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now.Version = l.page.Version + 1
	if err != nil {
		now.Mails, now.Wrong, now.Mind = l.page.Mails, err.Error(), ""
	}
	l.page = now
	switch {
	case err != nil:
		return err.Error()
	case now.Mind != "":
		return "Backupchecks' parser rule can't read some of the mails: " + now.Mind
	}
	return plural(len(now.Mails), "mail", "mails") + " rendered"
}

// reloadScript loads the page anew when there is another version of it.
const reloadScript = `"use strict";
const shown = document.currentScript.dataset.version;
setInterval(async () => {
	try {
		const now = await (await fetch("/version")).text();
		if (now !== shown) location.reload();
	} catch {} // covebridge has ended
}, 500);
`

func (l *live) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		l.mu.Lock()
		text, err := l.page.render()
		l.mu.Unlock()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(text) // the browser has gone
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		_, _ = w.Write([]byte(strconv.Itoa(l.page.Version)))
	})
	mux.HandleFunc("GET /reload.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write([]byte(reloadScript))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != l.hosts[0] && r.Host != l.hosts[1] {
			http.Error(w, "open it as "+l.hosts[0], http.StatusForbidden)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("X-Frame-Options", "DENY")
		mux.ServeHTTP(w, r)
	})
}

// errNoTemplates: there is nothing to watch.
var errNoTemplates = errors.New("mail.templates is empty, so there is nothing to watch: covebridge templates export DIR writes templates to begin with, then set mail.templates to DIR")
