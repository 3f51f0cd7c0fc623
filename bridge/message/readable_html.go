package message

import (
	"strings"

	"golang.org/x/net/html"
)

// htmlBlocks are the elements that begin a line, as far as they are in no cell of
// a table: a row is a line.
var htmlBlocks = map[string]bool{
	"p": true, "div": true, "br": true, "h1": true, "h2": true, "h3": true, "li": true, "ul": true, "ol": true, "hr": true, "body": true, "pre": true, "blockquote": true,
}

// htmlLines turns HTML into lines as the parser rule does (class _Lines there).
func htmlLines(body string) []string {
	l := htmlLineReader{cells: []bool{false}}
	for z := html.NewTokenizer(strings.NewReader(body)); ; {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			l.flush()
			return l.lines
		case html.TextToken:
			if l.silent == "" {
				l.line.Write(z.Text()) // unescaped
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			if kind != html.EndTagToken {
				l.start(string(name))
			}
			if kind != html.StartTagToken {
				l.end(string(name))
			}
		}
	}
}

// htmlLineReader is HTML on its way into lines.
type htmlLineReader struct {
	lines  []string
	line   strings.Builder
	cells  []bool // for each table that is open: whether a cell is
	silent string // the element whose text is not shown
}

func (l *htmlLineReader) start(tag string) {
	cell := &l.cells[len(l.cells)-1]
	switch {
	case tag == "script" || tag == "style" || tag == "title":
		l.silent = tag
	case tag == "table":
		l.flush()
		l.cells = append(l.cells, false)
	case tag == "tr":
		l.flush()
		*cell = false
	case tag == "td" || tag == "th":
		l.line.WriteByte(' ')
		*cell = true
	case htmlBlocks[tag]:
		l.block(*cell)
		if tag == "li" {
			l.line.WriteString("* ")
		}
	}
}

func (l *htmlLineReader) end(tag string) {
	last := len(l.cells) - 1
	switch {
	case tag == l.silent:
		l.silent = ""
	case tag == "table":
		l.flush()
		l.cells = l.cells[:max(last, 1)]
	case tag == "tr":
		l.flush()
		l.cells[last] = false
	case htmlBlocks[tag]:
		l.block(l.cells[last])
	}
}

func (l *htmlLineReader) block(inCell bool) {
	if inCell {
		l.line.WriteByte(' ')
		return
	}
	l.flush()
}

// flush ends the line; the empty one says that nothing of the next belongs to it.
func (l *htmlLineReader) flush() {
	l.lines = append(l.lines, l.line.String(), "")
	l.line.Reset()
}
