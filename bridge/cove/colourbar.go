package cove

import (
	"fmt"
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

// colourBar reads one sign a day, today rightmost (three sources say so): 0 for
// no session, the number of a status, letters for those over 9, A for 10. A
// sign that has no meaning here is shown as it is.
func (c *Client) colourBar(text string, today time.Time) []backup.Day {
	signs := []rune(cut(text, 1000))
	if len(signs) > barDays {
		signs = signs[len(signs)-barDays:]
	}
	var days []backup.Day
	for i, sign := range signs {
		day := backup.Day{Date: today.AddDate(0, 0, i+1-len(signs)).Format(time.DateOnly)}
		st := status{}
		switch {
		case sign >= '0' && sign <= '9':
			st.number = int64(sign - '0')
		case sign >= 'A' && sign <= 'Z':
			st.number = int64(sign-'A') + 10
		case sign >= 'a' && sign <= 'z':
			st.number = int64(sign-'a') + 10
		case sign == ' ', sign == '-', sign == '.': // no session in some scripts' reading
		default:
			st = status{stUnknown, string(sign)}
		}
		if !st.none() {
			day.Word, day.Status = statusWords[st.number], c.outcome(st, 0)
			if day.Word == "" || st.word != "" {
				day.Word = fmt.Sprintf("Unknown status %c", sign)
			}
		}
		days = append(days, day)
	}
	return days
}
