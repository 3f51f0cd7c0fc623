package covesim

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// deviceColumns has the columns of a device: number, letters, name.
var deviceColumns = []struct {
	number        int
	letters, name string
}{
	{0, "AU", "Device ID"}, {1, "AN", "Device name"}, {2, "AL", "Device name alias"}, {4, "CD", "Creation date"},
	{5, "ED", "Expiration date"}, {6, "TS", "Time stamp"}, {8, "AR", "Customer"}, {9, "PD", "Product ID"},
	{10, "PN", "Product"}, {11, "LN", "Storage location"}, {12, "AG", "Device group name"}, {14, "US", "Used storage"},
	{15, "EM", "Email"}, {16, "OS", "OS version"}, {17, "VN", "Client version"}, {18, "MN", "Computer name"},
	{19, "IP", "Internal IPs"}, {20, "EI", "External IPs"}, {24, "TZ", "Time offset"}, {31, "", "Used virtual storage"},
	{32, "OT", "OS type"}, {36, "YS", "Storage status"}, {37, "YV", "LSV status"}, {39, "RU", "Retention units"},
	{54, "OI", "Profile ID"}, {56, "OP", "Profile"}, {59, "AT", "Account type"}, {77, "PF", "Customer reference"},
	{78, "AP", "Active data sources"}, {80, "", "Recovery testing"}, {81, "", "Physicality"}, {83, "", "Customer ID"},
}

// fieldSigns are the second signs of short codes, by the number of the field.
const fieldSigns = "01234576BL89AIRGQJOKM@"

var (
	lettersToNumber = map[string]int{}
	numberToLetters = map[int]string{}
	sourceToLetter  = map[string]string{}

	longColumn = regexp.MustCompile(`^D(\d{1,2})F(\d{1,2})$`)
	longDevice = regexp.MustCompile(`^I(\d{1,2})$`)
)

func init() {
	for _, c := range deviceColumns {
		numberToLetters[c.number] = c.letters
		if c.letters != "" {
			lettersToNumber[c.letters] = c.number
		}
	}
	for letter, code := range letters {
		sourceToLetter[code] = string(letter)
	}
}

// column is one that can be asked for.
type column struct {
	source string // "D01"; empty: the column is the device's
	number int    // of the field, or of the device's column
}

// parseColumn reads any spelling: I0, AU; D01F00, D1F0, F0.
func parseColumn(text string) (c column, ok bool) {
	if m := longColumn.FindStringSubmatch(text); m != nil {
		source, _ := strconv.Atoi(m[1])
		c.source = fmt.Sprintf("D%02d", source)
		c.number, _ = strconv.Atoi(m[2])
		return c, true
	}
	if m := longDevice.FindStringSubmatch(text); m != nil {
		c.number, _ = strconv.Atoi(m[1])
		return c, true
	}
	if c.number, ok = lettersToNumber[text]; ok {
		return c, true
	}
	if len(text) != 2 {
		return c, false
	}
	c.source = letters[text[0]]
	c.number = strings.IndexByte(fieldSigns, text[1])
	return c, c.source != "" && c.number >= 0
}

// String spells the column as the vendor does: D01F00, I0.
func (c column) String() string {
	if c.source == "" {
		return fmt.Sprintf("I%d", c.number)
	}
	return fmt.Sprintf("%sF%02d", c.source, c.number)
}

// other spells it in another way, the nth, where there is one.
func (c column) other(nth int) string {
	if c.source == "" {
		if letters := numberToLetters[c.number]; letters != "" {
			return letters
		}
		return c.String()
	}
	if letter := sourceToLetter[c.source]; letter != "" && c.number < len(fieldSigns) && nth%2 == 0 {
		return letter + fieldSigns[c.number:c.number+1]
	}
	return fmt.Sprintf("D%sF%d", strings.TrimLeft(c.source[1:], "0"), c.number)
}

// canonical spells columns as the vendor does, and leaves unknown ones as they are.
func canonical(columns []string) (spelled []string) {
	for _, text := range columns {
		if c, ok := parseColumn(text); ok {
			text = c.String()
		}
		spelled = append(spelled, text)
	}
	return spelled
}

// columns answers EnumerateColumns. Its shape is a guess.
func (s *Sim) columns(*call) (any, error) {
	rows := []object{}
	for _, c := range deviceColumns {
		rows = append(rows, object{"Id": fmt.Sprintf("I%d", c.number), "ShortId": c.letters, "Name": c.name})
	}
	return inner(rows), nil
}
