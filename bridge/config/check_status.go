package config

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Cove's words for results, by their numbers, and those that are no result
// because more follows.
var (
	resultNumbers = map[string]string{"Failed": "2", "Aborted": "3", "Unknown": "4", "Completed": "5", "Interrupted": "6", "NotStarted": "7",
		"CompletedWithErrors": "8", "OverQuota": "10", "NoSelection": "11", "Blocked": "13"}
	resultWords     = slices.Sorted(maps.Keys(resultNumbers))
	unfinishedWords = []string{"0", "1", "9", "12", "None", "InProcess", "InProgress", "InProgressWithFaults", "Restarted"}
)

func (d *decoder) checkStatusMap(statuses map[string]string) {
	const at = "job.status_map."
	keys := slices.SortedFunc(maps.Keys(statuses), func(a, b string) int {
		return cmp.Or(d.line[at+a]-d.line[at+b], strings.Compare(a, b))
	})
	first := map[string]string{} // the key of each status, by its number
	for _, key := range keys {
		path := at + key
		status := statuses[key]
		d.word(path, &status, statusWords...)
		statuses[key] = status
		number, isWord := resultNumbers[key]
		if !isWord {
			number = key
		}
		n, err := strconv.ParseInt(number, 10, 64)
		switch {
		case slices.Contains(unfinishedWords, key):
			d.problemf(path, "it is no result, for the session goes on: remove it")
		case err != nil:
			d.problemf(path, "a number or a word of Cove's is expected as the key%s", didYouMean(key, resultWords))
		case strconv.FormatInt(n, 10) != number:
			d.problemf(path, "write the number as %d: Cove's results never match %q", n, key)
		case first[number] != "":
			d.problemf(path, "%s on line %d is the same result: keep one", first[number], d.line[at+first[number]])
		default:
			first[number] = key
		}
	}
}
