package covesim

import (
	"strconv"
	"strings"
	"time"
)

const colourDays = 28

// colourBar is the 28 last days of a data source, or of the total: the status
// of each day's newest session, 0 for none, a letter for numbers over 9.
// Today stands rightmost.
func (f *fleet) colourBar(d *device, code string, now time.Time) string {
	bar := []byte(strings.Repeat("0", colourDays))
	today := now.Truncate(day)
	for i := range bar {
		begin := today.AddDate(0, 0, i-colourDays+1)
		for n := d.cycleAt(begin.Add(day)); n >= d.cycleAt(begin)-1 && bar[i] == '0'; n-- {
			for _, s := range f.cycle(d, n) {
				if !s.Restore && (code == total.code || s.Source == code) && s.Start.Truncate(day).Equal(begin) && !s.Start.After(now) {
					bar[i] = colour(s.at(now).Status)
				}
			}
		}
	}
	return string(bar)
}

func colour(status int) byte {
	return strings.ToUpper(strconv.FormatInt(int64(status), 36))[0]
}
