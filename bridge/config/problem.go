package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong in a configuration.
type Problem struct {
	File string
	Line int    // 0: not tied to a line
	Key  string // path of the key: "cove[0].password"; empty: not tied to one
	Text string // what is wrong and what to do
	Err  error  // of a file that may not be read; nil: it is none
}

// String gives "config.yaml:12: cove[0].password: …".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Error holds all problems of a configuration, in the order of their lines.
type Error struct{ Problems []Problem }

// Unwrap gives the errors of files that may not be read.
func (e *Error) Unwrap() (all []error) {
	for _, p := range e.Problems {
		if p.Err != nil {
			all = append(all, p.Err)
		}
	}
	return all
}

// Error gives one line per problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// nearest gives the known word that is most like another one, or "".
func nearest(word string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		d := distance(strings.ToLower(word), strings.ToLower(k))
		if len(word) >= 3 && strings.HasPrefix(strings.ToLower(k), strings.ToLower(word)) {
			d = min(d, 2)
		}
		if d < least && d < min(len(k), len(word)) {
			best, least = k, d
		}
	}
	return best
}

// didYouMean adds the nearest of the known words to a message about another one.
func didYouMean(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}

// distance counts the letters to insert, delete, replace or swap to turn a into b.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// either joins words for a sentence: "tls, starttls or none".
func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
}
