package cove

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"covebridge/bridge/backup"
)

// ahead is how far a time may lie in the future: clocks differ, and so do time
// zones. What lies beyond is not believed.
const ahead = 24 * time.Hour

// snapshot makes a row what every product has in common.
func (c *Client) snapshot(r deviceRow, at time.Time, tree *tree) backup.Snapshot {
	text := func(column string) string { return r.columns[column].text }
	d := backup.Device{
		Product: Product, Software: Software,
		ID: r.id, Name: text(colName), Alias: text(colAlias), Computer: text(colComputer), OS: text(colOS),
		Customer: text(colCustomer), Created: r.columns[colCreated].time(), UsedStorage: r.columns[colUsed].count(),
	}
	if d.Name == "" {
		d.Name = "device " + d.ID
	}
	if r.partner > 0 {
		d.CustomerID = strconv.FormatInt(r.partner, 10)
		d.CustomerPath = tree.path(r.partner)
		if d.Customer == "" && len(d.CustomerPath) > 0 {
			d.Customer = d.CustomerPath[len(d.CustomerPath)-1]
		}
	}

	sources := r.sources()
	p := profile{}
	for _, s := range sources {
		p.add(s)
	}
	d.Type = r.deviceType(sources)
	c.profiles.Store(d.ID, p)
	if d.Type == backup.Microsoft365 {
		d.Computer = "" // a tenant's means nothing
	}
	s := backup.Snapshot{Device: d, Fingerprint: r.fingerprint(), At: at}
	for _, src := range sources {
		s.Sessions = append(s.Sessions, c.lastSessions(r, src, d, at)...)
	}
	backup.SortSessions(s.Sessions)
	var last time.Time
	if n := len(s.Sessions); n > 0 {
		last = s.Sessions[n-1].Start
	}
	s.Device.ColourBar = c.colourBar(text(column(total, fColourBar)), today(at, r.columns[colZone]), last)
	return s
}

// sources gives the active data sources and all others that had a session.
func (r deviceRow) sources() []source {
	found := map[source]bool{}
	for _, s := range activeSources(r.columns[colSources].text) {
		found[s] = true
	}
	for name, v := range r.columns {
		if s, f, ok := sourceOf(name); ok && s != total && f == fStatus && !v.status().none() {
			found[s] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// deviceType: I59 tells a Microsoft 365 tenant; where it is missing, a tenant
// is what has no operating system's type but data sources of Microsoft 365.
// What is undefined counts as a server.
func (r deviceRow) deviceType(sources []source) string {
	osType, _ := r.columns[colOSType].number()
	kind, _ := r.columns[colType].number()
	tenant := osType == 0 && len(sources) > 0
	for _, s := range sources {
		tenant = tenant && s.m365()
	}
	switch {
	case kind == 2, kind != 1 && tenant:
		return backup.Microsoft365
	case osType == 1:
		return backup.Workstation
	}
	return backup.Server
}

// fingerprint is a hash over all that tells of sessions.
func (r deviceRow) fingerprint() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(r.columns)) {
		s, f, ok := sourceOf(name)
		text := strings.TrimSpace(r.columns[name].text)
		// What is absent and what is 0 both say that there was none, and one
		// comes for the other.
		if !ok || s == total || !slices.Contains(sessionFields, f) || text == "" || text == "0" {
			continue
		}
		fmt.Fprintf(h, "%s=%d:", name, len(text))
		io.WriteString(h, text)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}
