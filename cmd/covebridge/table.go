package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"covebridge/bridge/backup"
)

// grid is what a verb shows: a table for people, or a JSON array of objects
// for programs.
type grid struct {
	a       *app
	columns []column
	rows    [][]any
	notes   []string // below each row; empty: none
}

func (a *app) table(titles ...string) *grid {
	g := &grid{a: a}
	for _, title := range titles {
		g.columns = append(g.columns, column{title: title})
	}
	return g
}

func (a *app) jsonFlag(c *cobra.Command) {
	c.Flags().BoolVar(&a.json, "json", false, "write JSON")
}

// clip makes these columns hold names, which may be cut; the first of them is
// the last to be left out where even that is too wide.
func (g *grid) clip(titles ...string) *grid {
	for place, title := range titles {
		for i := range g.columns {
			if c := &g.columns[i]; c.title == title {
				c.clip, c.optional = true, place
			}
		}
	}
	return g
}

// row adds a row of texts, words and times.
func (g *grid) row(cells ...any) {
	g.rows = append(g.rows, cells)
	g.notes = append(g.notes, "")
}

// note says more of the last row, in lines of its own.
func (g *grid) note(s string) { g.notes[len(g.notes)-1] = s }

func (g *grid) write() error {
	if g.a.json {
		return g.writeJSON()
	}
	_, err := io.WriteString(g.a.out, g.text(g.a.screen()))
	return err
}

// text is the table as a screen shows it.
func (g *grid) text(s screen) string {
	if len(g.rows) == 0 {
		return "nothing found\n"
	}
	header := make([]string, len(g.columns))
	for i, c := range g.columns {
		header[i] = c.title
	}
	cells := [][]string{header}
	for _, r := range g.rows {
		cells = append(cells, g.line(r))
	}
	widths := fitColumns(g.columns, cells, s.width)
	w := table.NewWriter()
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	w.SetStyle(style)
	w.SuppressTrailingSpaces()
	var b strings.Builder
	for i, r := range cells {
		var row table.Row
		for j, cell := range r {
			if widths[j] == 0 {
				continue
			}
			if j == len(r)-1 && lastColumnWraps(g.columns) {
				cell = text.WrapSoft(cell, widths[j])
			} else {
				cell = text.Snip(cell, widths[j], "…")
			}
			if i > 0 && s.colour {
				cell = coloured(g.rows[i-1][j], cell)
			}
			row = append(row, cell)
		}
		w.AppendRow(row)
		if i > 0 && g.notes[i-1] != "" {
			w.AppendRow(table.Row{noteMark})
		}
	}
	notes := g.notes
	for line := range strings.Lines(w.Render()) {
		if line = strings.TrimRight(line, "\n"); strings.TrimSpace(line) != noteMark {
			b.WriteString(s.truncate(line) + "\n")
			continue
		}
		for notes[0] == "" {
			notes = notes[1:]
		}
		b.WriteString(s.indented("→ "+oneLine(notes[0])) + "\n")
		notes = notes[1:]
	}
	if g.hasTime() {
		fmt.Fprintf(&b, "Times are in %s.\n", g.a.zone())
	}
	return b.String()
}

// noteMark is a row in whose place a note is written. No cell holds it, for it
// is a control character.
const noteMark = "\x00"

func (g *grid) hasTime() bool {
	for _, r := range g.rows {
		for _, cell := range r {
			if t, ok := cell.(time.Time); ok && !t.IsZero() {
				return true
			}
		}
	}
	return false
}

// line is a row as text. A last column that wraps may hold several lines.
func (g *grid) line(cells []any) []string {
	row := make([]string, len(cells))
	for i, c := range cells {
		text := fmt.Sprint(c)
		if t, ok := c.(time.Time); ok {
			text = g.a.clock(t)
		}
		if row[i] = oneLine(text); i == len(cells)-1 && lastColumnWraps(g.columns) {
			row[i] = printable(text)
		}
	}
	return row
}

// coloured is a cell in the colour of what it says.
func coloured(cell any, s string) string {
	var c text.Color
	switch cell {
	case backup.Success:
		c = text.FgGreen
	case backup.Warning:
		c = text.FgYellow
	case backup.Failed, backup.EntryFailed:
		c = text.FgRed
	default:
		return s
	}
	return c.EscapeSeq() + s + text.Reset.EscapeSeq()
}

// writeJSON names each cell by its title, in lower case. A time that is not
// known is null.
func (g *grid) writeJSON() error {
	rows := make([]map[string]any, len(g.rows))
	for i, r := range g.rows {
		rows[i] = map[string]any{}
		for j, cell := range r {
			name := strings.ToLower(g.columns[j].title)
			if name == "" {
				name = "state"
			}
			if t, ok := cell.(time.Time); !ok {
				rows[i][name] = fmt.Sprint(cell)
			} else if t.IsZero() {
				rows[i][name] = nil
			} else {
				rows[i][name] = t
			}
		}
		if g.notes[i] != "" {
			rows[i]["note"] = g.notes[i]
		}
	}
	return g.a.printJSON(rows)
}

func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // it goes to programs, not into a page
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}
