package cove

import (
	"bytes"
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"strings"

	"covebridge/bridge/backup"
)

// source is one of Cove's data sources, by its number: 1 for D01.
type source int

// total is D09, the sum of all; it is no data source. Its last success is the
// newest of all, which hides a dead one.
const total source = 9

// The data sources of Microsoft 365.
const (
	m365SharePoint source = 5
	m365Exchange   source = 19
	m365OneDrive   source = 20
	m365Teams      source = 23
)

// sourceNames holds the data sources that the Cove API document knows.
var sourceNames = map[source]string{
	1: "Files and folders", 2: "System state", 3: "MS SQL", 4: "Exchange", m365SharePoint: "Microsoft 365 SharePoint",
	6: "Network shares", 7: "System state (VSS)", 8: "VMware", total: "Total", 10: "MS SQL (VSS)", 11: "SharePoint (VSS)",
	12: "Oracle", 14: "Hyper-V", 15: "MySQL", 16: "Virtual disaster recovery", 17: "Bare metal restore",
	m365Exchange: "Microsoft 365 Exchange", m365OneDrive: "Microsoft 365 OneDrive", m365Teams: "Microsoft 365 Teams",
}

// String is Cove's code, as "D01".
func (s source) String() string { return fmt.Sprintf("D%02d", int(s)) }

func (s source) dataSource() backup.DataSource {
	name := sourceNames[s]
	if name == "" {
		name = s.String() // shown as it is, never dropped
	}
	return backup.DataSource{Key: s.String(), Name: name}
}

func (s source) m365() bool {
	return s == m365SharePoint || s == m365Exchange || s == m365OneDrive || s == m365Teams
}

// m365Types are the names that the reporting service has for its data sources.
var m365Types = map[source]string{
	m365Exchange: "Exchange", m365OneDrive: "OneDrive", m365SharePoint: "SharePoint", m365Teams: "Teams",
}

// plugins holds what nodes and the reporting service call a data source: the
// name or number, and which it can be, the likeliest first. Which of them it is
// follows from what the device's statistics show: how the old and the VSS kinds
// of one source share the plugins is not settled.
var plugins = map[string][]source{
	"filesystem": {1}, "filesandfolders": {1}, "workstationfilesystem": {1}, "1": {1},
	"systemstate": {2, 7}, "vsssystemstate": {2, 7}, "7": {2, 7}, "linuxsystemstate": {2, 7}, "18": {2, 7},
	"mssql":       {3, 10},
	"vssexchange": {4}, "4": {4},
	"sharepoint":    {m365SharePoint, 11},
	"networkshares": {6}, "6": {6},
	"vmware": {8}, "8": {8},
	"vssmssql": {10, 3}, "vsssql": {10, 3}, "10": {10, 3},
	"vsssharepoint": {11}, "11": {11},
	"oracle": {12}, "12": {12},
	"vsshyperv": {14}, "hyperv": {14}, "14": {14},
	"mysql": {15}, "15": {15},
	"exchange": {m365Exchange, 4},
	"onedrive": {m365OneDrive},
	"teams":    {m365Teams},
}

var sourceCode = regexp.MustCompile(`^[Dd](\d{1,2})$`)

// dataSource finds the data source of a session's row by any of the values
// that may name it: a plugin's name or number, or a code. One that no table
// has is the device's only active data source that no plugin belongs to, if it
// has just one; else it is shown as it is.
func (p sourceSet) dataSource(names ...value) backup.DataSource {
	var unknown string
	for _, v := range names {
		text := strings.TrimSpace(v.text)
		key := strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(text))
		if key == "" {
			continue
		}
		if candidates := plugins[key]; len(candidates) > 0 {
			for _, s := range candidates {
				if p.has(s) {
					return s.dataSource()
				}
			}
			return candidates[0].dataSource()
		}
		if code := sourceCode.FindStringSubmatch(text); code != nil {
			n, _ := strconv.Atoi(code[1])
			return source(n).dataSource()
		}
		// The plugins' numbers that are known are those of their data sources.
		if n, err := strconv.Atoi(key); err == nil && p.has(source(n)) {
			return source(n).dataSource()
		}
		if unknown == "" {
			unknown = truncate(text, 100)
		}
	}
	found := backup.DataSource{Key: unknown, Name: unknown}
	if unknown == "" {
		found = backup.DataSource{Key: "unknown", Name: "Unknown data source"}
	} else if _, err := strconv.Atoi(unknown); err == nil {
		found.Name = "Data source " + unknown
	}
	if alone := p.unclaimed(); len(alone) == 1 {
		found.Key = alone[0].String()
	}
	return found
}

// claimed are the data sources that some plugin belongs to.
var claimed = func() map[source]bool {
	all := map[source]bool{}
	for _, candidates := range plugins {
		for _, s := range candidates {
			all[s] = true
		}
	}
	return all
}()

// unclaimed gives the device's active data sources that no plugin belongs to.
func (p sourceSet) unclaimed() (all []source) {
	for s := source(1); s < 100; s++ {
		if p.has(s) && !claimed[s] {
			all = append(all, s)
		}
	}
	return all
}

// activeSources reads column I78, in any of its spellings: D01D02D10, D1D2, D1,D2.
func activeSources(text []byte) iter.Seq[source] {
	return func(yield func(source) bool) {
		for text = text[:min(len(text), 1000)]; ; {
			i := bytes.IndexAny(text, "Dd")
			if i < 0 {
				return
			}
			n := 0
			text = text[i+1:]
			for most := 2; most > 0 && len(text) > 0 && '0' <= text[0] && text[0] <= '9'; most-- {
				n, text = n*10+int(text[0]-'0'), text[1:]
			}
			if n > 0 && source(n) != total && !yield(source(n)) {
				return
			}
		}
	}
}
