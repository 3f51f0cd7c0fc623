package cove

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"covebridge/bridge/backup"
)

// barDays is how many days a colour bar covers.
const barDays = 28

// today is the day that it is at the device; its zone is in hours, as I24 has it.
func today(at time.Time, zone value) time.Time {
	if hours, ok := zone.number(); ok && hours >= -12 && hours <= 14 {
		at = at.UTC().Add(time.Duration(hours) * time.Hour)
	}
	return at.UTC()
}

// colourBar reads one sign a day, today rightmost unless the fleet proved
// otherwise: 0 for no session, the number of a status, letters for those over
// 9, A for 10. A sign that has no meaning here is shown as it is. last is when
// the device's newest session began.
func (c *Client) colourBar(text string, today, last time.Time) []backup.Day {
	signs := []rune(truncate(text, 1000))
	if len(signs) > barDays {
		signs = signs[len(signs)-barDays:]
	}
	if reversed := c.barOrientation.vote(signs, today, last); reversed {
		c.noticeOnce("bar", "colour bars begin with today, contrary to what is known of Cove; they are shown the right way round")
		slices.Reverse(signs)
	}
	var days []backup.Day
	for i, sign := range signs {
		day := backup.Day{Date: today.AddDate(0, 0, i+1-len(signs)).Format(time.DateOnly)}
		if st := signStatus(sign); !st.none() {
			day.Word, day.Status = statusWords[st.number], c.outcome(st, 0)
			if day.Word == "" || st.word != "" {
				day.Word = fmt.Sprintf("Unknown status %c", sign)
			}
		}
		days = append(days, day)
	}
	return days
}

func signStatus(sign rune) status {
	switch {
	case sign >= '0' && sign <= '9':
		return status{number: int64(sign - '0')}
	case sign >= 'A' && sign <= 'Z':
		return status{number: int64(sign-'A') + 10}
	case sign >= 'a' && sign <= 'z':
		return status{number: int64(sign-'a') + 10}
	case sign == ' ', sign == '-', sign == '.':
		return status{}
	}
	return status{stUnknown, string(sign)}
}

// barOrientation proves by the fleet itself which end of a colour bar is today (three
// sources say the right one). A device whose newest session is some days old
// must have as many empty days at that end, and then one that is not.
type barOrientation struct {
	mu                    sync.Mutex
	todayRight, todayLeft int // devices whose bar can only be read with today at that end
}

// enoughBars is how many devices it takes to turn all bars round.
const enoughBars = 10

// vote takes a device's bar into account and tells whether the proof so far
// is that today stands leftmost.
func (b *barOrientation) vote(signs []rune, today, last time.Time) (reversed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	age := int(today.Truncate(24*time.Hour).Sub(last.UTC().Truncate(24*time.Hour)) / (24 * time.Hour))
	// Two days at least, for a day's edge may lie elsewhere.
	if len(signs) == barDays && !last.IsZero() && age >= 2 && age < barDays-1 {
		right := newestFits(signs, age, func(day int) int { return barDays - 1 - day })
		left := newestFits(signs, age, func(day int) int { return day })
		if right && !left {
			b.todayRight++
		}
		if left && !right {
			b.todayLeft++
		}
	}
	return b.todayLeft >= enoughBars && b.todayLeft > 4*b.todayRight
}

// newestFits tells whether a session of so many days ago is the newest in a bar that
// has the nth day ago at place(n), give or take a day.
func newestFits(signs []rune, age int, place func(day int) int) bool {
	for day := range age - 1 {
		if !signStatus(signs[place(day)]).none() {
			return false
		}
	}
	for day := age - 1; day <= age+1; day++ {
		if !signStatus(signs[place(day)]).none() {
			return true
		}
	}
	return false
}
