package collect

import (
	"context"
	"sync"
	"time"
)

// roster holds in memory what was last committed of each device, so that a
// device that did not change costs no statement.
type roster struct {
	takeover time.Duration // after which another account may take a device over

	mu        sync.Mutex
	loaded    bool
	devices   map[string]entry
	names     []string              // of accounts, by the index in an entry
	lastTests map[testKey]time.Time // ends of the recovery tests last told of
}

type entry struct {
	fingerprint uint64
	seen        int64 // Unix seconds, by its account
	account     int32 // index into names
	shown       bool  // to this process, not only to one before it or to another bridge
	missing     bool  // noted already
}

func newRoster(takeover time.Duration) *roster {
	return &roster{takeover: takeover, devices: map[string]entry{}, lastTests: map[testKey]time.Time{}}
}

// load reads what is committed; it is to be called again where other bridges
// commit, too.
func (r *roster) load(ctx context.Context, journals Journals, again bool, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loaded && !again {
		return nil
	}
	err := journals.Fingerprints(ctx, func(key, account string, fingerprint uint64) {
		e, known := r.devices[key]
		if !known {
			e.seen = now.Unix()
		}
		e.fingerprint, e.account = fingerprint, r.index(account)
		r.devices[key] = e
	})
	r.loaded = r.loaded || err == nil
	return err
}

func (r *roster) index(account string) int32 {
	for i, name := range r.names {
		if name == account {
			return int32(i)
		}
	}
	r.names = append(r.names, account)
	return int32(len(r.names) - 1)
}

// observe notes that the account shows a device, and tells whether it is to be
// looked at. rank gives an account's place in the configuration; -1: none.
func (r *roster) observe(key []byte, account string, fingerprint uint64, now time.Time, rank func(string) int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, known := r.devices[string(key)]
	if !known {
		return true
	}
	if owner := r.names[e.account]; owner != account {
		place := rank(owner)
		return place < 0 || rank(account) < place || now.Unix()-e.seen > int64(r.takeover/time.Second)
	}
	changed := e.fingerprint != fingerprint || e.missing
	e.seen, e.shown = now.Unix(), true
	r.devices[string(key)] = e
	return changed
}

// committed notes what was committed of a device.
func (r *roster) committed(key, account string, fingerprint uint64, missing bool, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := entry{fingerprint: fingerprint, account: r.index(account), missing: missing, seen: now.Unix(), shown: true}
	if was, known := r.devices[key]; known && was.account == e.account { // one that is due is looked at though it is not shown
		e.seen, e.shown = was.seen, was.shown
	}
	r.devices[key] = e
}

// seenSince tells whether the product showed the device lately, to this process.
func (r *roster) seenSince(key string, since time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, known := r.devices[key]
	return known && e.shown && !e.missing && e.seen >= since.Unix()
}

// missing gives the account's devices that were not seen since then, and how
// many were.
func (r *roster) missing(account string, since time.Time) (keys []string, seen int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, e := range r.devices {
		switch {
		case r.names[e.account] != account:
		case e.seen >= since.Unix():
			seen++
		case !e.missing:
			keys = append(keys, key)
		}
	}
	return keys, seen
}
