package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// grid is what a verb shows: a table for people, or a JSON array of objects
// for programs.
type grid struct {
	a      *app
	titles []string
	rows   [][]any
}

func (a *app) table(titles ...string) *grid { return &grid{a: a, titles: titles} }

func (a *app) jsonFlag(c *cobra.Command) {
	c.Flags().BoolVar(&a.json, "json", false, "write JSON")
}

// row adds a row of texts, words and times.
func (g *grid) row(cells ...any) { g.rows = append(g.rows, cells) }

func (g *grid) write() error {
	if g.a.json {
		return g.writeJSON()
	}
	w := table.NewWriter()
	w.SetOutputMirror(g.a.out)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	w.SetStyle(style)
	w.SuppressTrailingSpaces()
	titles := make([]any, len(g.titles))
	for i, title := range g.titles {
		titles[i] = title
	}
	header, rows := line(titles), lines(g.rows)
	widest := make([]int, len(g.titles)-1)
	for _, r := range append([]table.Row{header}, rows...) {
		for i := range widest {
			widest[i] = max(widest[i], text.StringWidth(r[i].(string)))
		}
	}
	w.AppendHeader(header)
	w.AppendRows(rows)
	if width := terminalWidth(g.a.out); width > 0 {
		// The last column gets what the others leave: those are never cut, for
		// names in them are typed into other calls.
		for _, n := range widest {
			width -= n + 2
		}
		w.SetColumnConfigs([]table.ColumnConfig{{Number: len(g.titles), WidthMax: max(width-2, 30)}})
	}
	w.Render()
	return nil
}

// terminalWidth is 0 where there is no terminal.
func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok && isTerminal(f) {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 0
}

func lines(rows [][]any) []table.Row {
	all := make([]table.Row, len(rows))
	for i, r := range rows {
		all[i] = line(r)
	}
	return all
}

func line(cells []any) table.Row {
	row := make(table.Row, len(cells))
	for i, c := range cells {
		text := fmt.Sprint(c)
		if t, ok := c.(time.Time); ok {
			text = clock(t)
		}
		if row[i] = oneLine(text); i == len(cells)-1 {
			row[i] = printable(text) // the last column may go on in the next line
		}
	}
	return row
}

// clock writes a time in the zone of the one who looks.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// writeJSON names each cell by its title, in lower case. A time that is not
// known is null.
func (g *grid) writeJSON() error {
	rows := make([]map[string]any, len(g.rows))
	for i, r := range g.rows {
		rows[i] = map[string]any{}
		for j, cell := range r {
			name := strings.ToLower(g.titles[j])
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
	}
	return g.a.printJSON(rows)
}

func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
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
