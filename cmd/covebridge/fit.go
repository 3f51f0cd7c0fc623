package main

import (
	"slices"

	"github.com/jedib0t/go-pretty/v6/text"
)

// column is one of a table.
type column struct {
	title string
	// clip: it holds names. They may be cut, and where that is not enough the
	// column is left out, those with the highest number of optional first.
	clip     bool
	optional int
}

const (
	columnGap    = 2  // between two columns
	maxNameWidth = 40 // cells that a name may take, however wide the screen is
	minNameWidth = 10 // cells below which a name is not cut: the column is left out
	minWrapWidth = 20 // cells that the last column gets at least, if it may wrap
)

// lastColumnWraps tells whether the last column goes on in the next line: where there are
// no names to cut.
func lastColumnWraps(columns []column) bool {
	return !slices.ContainsFunc(columns, func(c column) bool { return c.clip })
}

// fitColumns gives the width of each column; 0: it is left out. room is that of the
// screen; 0: as wide as need be.
func fitColumns(columns []column, rows [][]string, room int) []int {
	widths := make([]int, len(columns))
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], text.LongestLineLen(cell))
			if columns[i].clip {
				widths[i] = min(widths[i], maxNameWidth)
			}
		}
	}
	if room == 0 {
		return widths
	}
	if last := len(widths) - 1; lastColumnWraps(columns) {
		over := totalWidth(widths) - room
		widths[last] -= max(min(over, widths[last]-minWrapWidth), 0)
	}
	whole := slices.Clone(widths)
	for totalWidth(widths) > room {
		if !shrinkWidest(columns, widths) && !dropColumn(columns, widths, whole) {
			break // what is left is typed into other calls, and is not cut
		}
	}
	return widths
}

// totalWidth is what columns take together.
func totalWidth(widths []int) (all int) {
	for _, w := range widths {
		if w > 0 {
			all += w + columnGap
		}
	}
	return all - columnGap
}

// shrinkWidest takes a cell from the widest of the names.
func shrinkWidest(columns []column, widths []int) bool {
	at := -1
	for i, c := range columns {
		if c.clip && widths[i] > minNameWidth && (at < 0 || widths[i] > widths[at]) {
			at = i
		}
	}
	if at >= 0 {
		widths[at]--
	}
	return at >= 0
}

// dropColumn leaves a column of names out; the others have their whole width again.
func dropColumn(columns []column, widths, whole []int) bool {
	at := -1
	for i, c := range columns {
		if c.optional > 0 && widths[i] > 0 && (at < 0 || c.optional > columns[at].optional) {
			at = i
		}
	}
	if at < 0 {
		return false
	}
	whole[at] = 0
	copy(widths, whole)
	return true
}
