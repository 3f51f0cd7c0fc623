package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// screen is what output is written for.
type screen struct {
	width  int // in cells; 0: as wide as need be
	colour bool
}

// screen is the terminal. Where there is none, nothing is cut to fit, for
// programs read it; COLUMNS counts in both cases, as with ps and ls.
func (a *app) screen() (s screen) {
	if f, ok := unwrapWriter(a.out).(*os.File); ok && isTerminal(f) {
		s.colour = !noColour()
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			s.width = width
		}
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		s.width = n
	}
	return s
}

// noColour: https://no-color.org
func noColour() bool { return os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" }

func isTerminal(w io.Writer) bool {
	f, ok := unwrapWriter(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// truncate keeps a line from being wider than the screen.
func (s screen) truncate(line string) string {
	if s.width == 0 {
		return line
	}
	return text.Snip(line, s.width, "…")
}

// indented is a text below a row.
func (s screen) indented(line string) string {
	const indent = "    "
	if s.width <= len(indent)+minNameWidth {
		return indent + line
	}
	return indent + strings.ReplaceAll(text.WrapSoft(line, s.width-len(indent)), "\n", "\n"+indent)
}

// clock writes a time in mail.timezone; a table says which that is.
func (a *app) clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(a.zone()).Format("2006-01-02 15:04")
}

// zone is mail.timezone, once the configuration is read.
func (a *app) zone() *time.Location {
	if a.location == nil {
		return time.UTC
	}
	return a.location
}

// oneLine is printable in one line.
func oneLine(s string) string { return strings.ReplaceAll(printable(s), "\n", "\uFFFD") }

// printable keeps texts from outside from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf)) {
			return '\uFFFD'
		}
		return r
	}, s)
}
