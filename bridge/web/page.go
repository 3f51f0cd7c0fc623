package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
	"covebridge/bridge/status"
)

//go:embed assets/*.html
var assets embed.FS

//go:embed assets/style.css
var style []byte

//go:embed assets/icon.svg
var icon []byte

// pageLimit is how long a page may take: a search may have to read everything.
const pageLimit = 20 * time.Second

// pages are the templates, by the name of their file.
type pages map[string]*template.Template

// parse reads the embedded templates; times are shown in the zone.
func parse(zone *time.Location) pages {
	if zone == nil {
		zone = time.UTC
	}
	funcs := template.FuncMap{
		"clock":  func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04") },
		"stamp":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"zone":   func() string { return zoneName(zone) },
		"span":   status.Span,
		"lower":  func(word any) string { return strings.ToLower(fmt.Sprint(word)) },
		"run":    func(id string) string { return "/runs/" + url.PathEscape(id) },
		"device": func(d backup.Device) string { return "/devices/" + url.PathEscape(d.Key()) },
		"search": func(field, value string) string { return "/runs?" + url.Values{field: {value}}.Encode() },
		"why":    why,
		"ticks":  func(text string) []string { return strings.Split(text, "`") },
		"odd":    func(i int) bool { return i%2 == 1 },
		"bar":    newBar,
		"bytes": func(n int64) string {
			if n < 0 {
				return "–"
			}
			return humanize.Bytes(uint64(n))
		},
	}
	all := pages{}
	names, err := fs.Glob(assets, "assets/*.html")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for _, name := range names {
		t := template.New(name).Funcs(funcs)
		all[strings.TrimPrefix(name, "assets/")] = template.Must(t.ParseFS(assets, "assets/layout.html", name))
	}
	return all
}

// zoneName is a time zone's name for people.
func zoneName(zone *time.Location) string {
	if zone == time.Local {
		return time.Now().Format("MST")
	}
	return zone.String()
}

// head is what every page has.
type head struct {
	Title  string
	Part   string // of the site, that it belongs to
	Notice string // what was just done; empty: nothing
}

// problem is an error that a visitor is told.
type problem struct {
	status int
	text   string
}

func (p problem) Error() string { return p.text }

func notFound(http.ResponseWriter, *http.Request) error {
	return problem{http.StatusNotFound, "There is no such page."}
}

// page makes a handler of one that can fail.
func (s *Server) page(serve func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, done := context.WithTimeout(r.Context(), pageLimit)
		defer done()
		err := serve(w, r.WithContext(ctx))
		if err == nil {
			return
		}
		var p problem
		switch {
		case errors.As(err, &p):
		case errors.Is(err, context.DeadlineExceeded):
			p = problem{http.StatusServiceUnavailable, "That takes too long: narrow the search, by time best."}
		case errors.Is(err, ledger.ErrUnknown), errors.Is(err, ledger.ErrAmbiguous):
			p = problem{http.StatusNotFound, err.Error()}
		case errors.Is(err, ledger.ErrWaiting):
			p = problem{http.StatusConflict, "It is being sent at this moment."}
		default:
			p = problem{http.StatusServiceUnavailable, err.Error()}
		}
		if err := s.show(w, p.status, "problem.html", struct {
			head
			Text string
		}{head{Title: http.StatusText(p.status)}, p.text}); err != nil {
			http.Error(w, p.text, p.status)
		}
	})
}

// show writes a page, whole or not at all.
func (s *Server) show(w http.ResponseWriter, code int, name string, data any) error {
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "page", data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // the visitor has gone
	return nil
}

// asset serves a file that only a new version changes.
func asset(kind string, data []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "max-age=300")
		_, _ = w.Write(data)
	})
}
