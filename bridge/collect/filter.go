package collect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobwas/glob"

	"covebridge/bridge/backup"
)

// Globs lets through what an include pattern matches (or everything, where
// there is none) and no exclude pattern does. Case does not matter.
type Globs struct {
	Include, Exclude []string
}

// Filter says which runs are mailed.
type Filter struct {
	Customers, Devices, DataSources Globs
	Types                           []string        // empty: all
	Statuses                        []backup.Status // empty: all
}

// excludes gives the rule that keeps the run from being mailed, or "".
func (f Filter) excludes(r backup.Run) string {
	if rule := f.Customers.excludes(append([]string{r.Device.Customer}, r.Device.CustomerPath...)...); rule != "" {
		return "filter.customers " + rule
	}
	if rule := f.Devices.excludes(r.Device.Name, r.Device.Alias); rule != "" {
		return "filter.devices " + rule
	}
	if len(f.Types) > 0 && !slices.Contains(f.Types, r.Device.Type) {
		return "filter.types without " + r.Device.Type
	}
	if len(f.Statuses) > 0 && !slices.Contains(f.Statuses, r.Status) {
		return "filter.statuses without " + r.Status.String()
	}
	return ""
}

// excludesSource gives the rule that keeps a data source out of the mails, or "".
func (f Filter) excludesSource(s backup.DataSource) string {
	if rule := f.DataSources.excludes(s.Name, s.Key); rule != "" {
		return "filter.data_sources " + rule
	}
	return ""
}

// excludes gives the rule that stops something that goes by these names, or "".
func (g Globs) excludes(names ...string) string {
	if p := firstMatch(g.Exclude, names); p != "" {
		return fmt.Sprintf("exclude %q", p)
	}
	if len(g.Include) > 0 && firstMatch(g.Include, names) == "" {
		return "include does not match " + fmt.Sprintf("%q", names[0])
	}
	return ""
}

// MayBeSilent tells of which devices no silence is told: those whose profile, or
// whose name or alias, matches a pattern. Without patterns it is nil.
func MayBeSilent(profiles, devices []string) func(backup.Device) bool {
	if len(profiles)+len(devices) == 0 {
		return nil
	}
	return func(d backup.Device) bool {
		return d.Profile != "" && firstMatch(profiles, []string{d.Profile}) != "" || firstMatch(devices, []string{d.Name, d.Alias}) != ""
	}
}

// firstMatch gives the first pattern that matches one of the names, or "".
func firstMatch(patterns, names []string) string {
	for _, p := range patterns {
		g, err := glob.Compile(strings.ToLower(p))
		if err != nil {
			continue // the configuration was checked
		}
		if slices.ContainsFunc(names, func(n string) bool { return g.Match(strings.ToLower(n)) }) {
			return p
		}
	}
	return ""
}
