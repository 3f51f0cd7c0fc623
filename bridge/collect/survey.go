package collect

import (
	"context"
	"slices"
	"strings"

	"covebridge/bridge/backup"
)

// Survey is what the statistics of all devices show of the filter and of the
// jobs' names. Add may be called for one account after the other.
type Survey struct {
	Accounts map[string]*AccountSurvey
	// Shared are jobs that several devices would have, each with the first two.
	Shared []SharedJob

	job    Job
	filter Filter
	seen   map[string]bool
	owner  map[string]string // by job: the name of its first device
}

// AccountSurvey is what was seen of one account.
type AccountSurvey struct {
	Devices, Passed int
	Stopped         map[string]int // devices by the setting that stops them: "filter.customers"
	// Samples are the first device of each kind of history: of a Microsoft 365
	// tenant, and of any other.
	Samples []backup.Device
}

// SharedJob is a job that is not one device's alone.
type SharedJob struct{ Job, Device, Other string }

// NewSurvey gives an empty one.
func NewSurvey(o Options) *Survey {
	return &Survey{Accounts: map[string]*AccountSurvey{}, job: o.Job, filter: o.Filter, seen: map[string]bool{}, owner: map[string]string{}}
}

// Add reads the account's devices. Where that fails, what it read until then
// stays. A device that an earlier account showed is not counted again.
func (s *Survey) Add(ctx context.Context, src Source) (*AccountSurvey, error) {
	a := &AccountSurvey{Stopped: map[string]int{}}
	s.Accounts[src.Name()] = a
	return a, src.Devices(ctx, backup.Selection{}, func(r backup.Row) error {
		if key := string(r.Key()); !s.seen[key] {
			s.seen[key] = true
			s.device(a, r.Snapshot())
		}
		return ctx.Err()
	})
}

func (s *Survey) device(a *AccountSurvey, now backup.Snapshot) {
	d := now.Device
	a.Devices++
	if setting := s.filter.excludesDevice(now); setting != "" {
		a.Stopped[setting]++
		return
	}
	a.Passed++
	tenant := func(d backup.Device) bool { return d.Type == backup.Microsoft365 }
	if len(now.Sessions) > 0 && !slices.ContainsFunc(a.Samples, func(have backup.Device) bool { return tenant(have) == tenant(d) }) {
		a.Samples = append(a.Samples, d)
	}
	job, err := s.job.Name(backup.Run{Device: d})
	if err != nil || d.Name == "" {
		return // NewJob tried it; a poll asks for the name by itself
	}
	if first, taken := s.owner[job]; !taken {
		s.owner[job] = d.Name
	} else if !slices.ContainsFunc(s.Shared, func(j SharedJob) bool { return j.Job == job }) {
		s.Shared = append(s.Shared, SharedJob{job, first, d.Name})
	}
}

// excludesDevice gives the setting that stops every run of the device, or "". What
// statuses its runs will have, nobody knows.
func (f Filter) excludesDevice(now backup.Snapshot) string {
	run := backup.Run{Device: now.Device}
	if f.Statuses = nil; run.Device.Name == "" {
		f.Devices = Globs{}
	}
	if rule := f.excludes(run); rule != "" {
		setting, _, _ := strings.Cut(rule, " ")
		return setting
	}
	if len(now.Sessions) > 0 && !slices.ContainsFunc(now.Sessions, func(s backup.Session) bool { return f.excludesSource(s.Source) == "" }) {
		return "filter.data_sources"
	}
	return ""
}
