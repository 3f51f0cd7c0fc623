package cove

import (
	"strconv"
	"time"

	"covebridge/bridge/backup"
)

// maxAhead is how far a time may lie in the future: clocks differ, and so do time
// zones. What lies beyond is not believed.
const maxAhead = 24 * time.Hour

// snapshot makes a row what every product has in common.
func (c *Client) snapshot(r deviceRow, at time.Time, tree *tree) backup.Snapshot {
	text := func(column string) string { return r.columns[column].text }
	d := backup.Device{
		Product: Product, Software: Software,
		ID: idText(r.id), Name: text(colName), Alias: text(colAlias), Computer: text(colComputer), OS: text(colOS),
		Customer: text(colCustomer), Created: r.columns[colCreated].time(), UsedStorage: r.columns[colUsed].count(),
	}
	if r.partner > 0 {
		d.CustomerID = strconv.FormatInt(r.partner, 10)
		d.CustomerPath = tree.path(r.partner)
		if d.Customer == "" && len(d.CustomerPath) > 0 {
			d.Customer = d.CustomerPath[len(d.CustomerPath)-1]
		}
	}

	sources := r.sources()
	d.Type = r.deviceType(sources)
	if d.Type == backup.Microsoft365 {
		d.Computer = "" // a tenant's means nothing
	}
	fillIn(&d, r, sources)
	d.Console = console(d)
	s := backup.Snapshot{Device: d}
	for src := range sources.all() {
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
func (r deviceRow) sources() (found sourceSet) {
	for s := range activeSources([]byte(r.columns[colSources].text)) {
		found.add(s)
	}
	for name, v := range r.columns {
		if s, f, ok := sourceOf(name); ok && s != total && f == fStatus && !v.status().none() {
			found.add(s)
		}
	}
	return found
}

// deviceType: I59 tells a Microsoft 365 tenant; where it is missing, a tenant
// is what has no operating system's type but data sources of Microsoft 365.
// What is undefined counts as a server, and what is told by neither column nor
// by such data sources is not told.
func (r deviceRow) deviceType(sources sourceSet) string {
	osType, hasOS := r.columns[colOSType].number()
	kind, hasKind := r.columns[colType].number()
	tenant := osType == 0 && sources != sourceSet{}
	for s := range sources.all() {
		tenant = tenant && s.m365()
	}
	switch {
	case kind == 2, kind != 1 && tenant:
		return backup.Microsoft365
	case osType == 1:
		return backup.Workstation
	case hasOS || hasKind:
		return backup.Server
	}
	return ""
}
