package main

import (
	"fmt"
	"strings"
)

// plural writes a number with the word that fits it.
func plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// either joins words for a sentence: "queued, sent or failed".
func either(words []string) string { return joined(words, " or ") }

// all joins words for a sentence: "queued, sent and failed".
func all(words []string) string { return joined(words, " and ") }

func joined(words []string, word string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + word + words[last]
}
