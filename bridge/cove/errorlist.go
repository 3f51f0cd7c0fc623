package cove

import (
	"slices"

	"covebridge/bridge/backup"
)

const (
	keptErrors   = 200     // of one session; the others are counted
	maxErrorText = 8 << 10 // bytes of one text
)

// errorList collects errors within bounds.
type errorList struct {
	errs     []backup.Error
	unlisted int64 // that are counted only
	seen     map[string]bool
}

func (l *errorList) full() bool { return len(l.errs) >= keptErrors }

// first tells whether a row with this id is met for the first time; rows move
// between pages.
func (l *errorList) first(id string) bool {
	if id == "" {
		return true
	}
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	defer func() { l.seen[id] = true }()
	return !l.seen[id]
}

func (l *errorList) add(e backup.Error) {
	if !l.full() {
		l.errs = append(l.errs, e)
		return
	}
	if i := slices.IndexFunc(l.errs, func(o backup.Error) bool { return o.Text == e.Text && o.Code == e.Code }); i >= 0 {
		l.errs[i].Count = sum(l.errs[i].Count, e.Count)
		return
	}
	l.unlisted = sum(l.unlisted, e.Count)
}

// addGroup adds the files of a grouped row, and the row for those not listed.
func (l *errorList) addGroup(group backup.Error, files []backup.Error) {
	for _, f := range files {
		if group.Count <= 0 {
			break
		}
		if f.Text == "" {
			f.Text = group.Text
		}
		if f.Code == "" {
			f.Code = group.Code
		}
		if f.Time.IsZero() {
			f.Time = group.Time
		}
		f.Count = min(f.Count, group.Count)
		group.Count -= f.Count
		l.add(f)
	}
	if group.Count > 0 {
		if len(files) > 0 {
			group.File = "" // one of those listed
		}
		l.add(group)
	}
}

func (l *errorList) all() []backup.Error {
	if l.unlisted > 0 {
		return append(l.errs, backup.Error{Text: "Further errors that are not listed here", Count: l.unlisted})
	}
	return l.errs
}

// sum stops at the top instead of wrapping around.
func sum(a, b int64) int64 {
	if s := a + b; s >= a {
		return s
	}
	return 1<<63 - 1
}
