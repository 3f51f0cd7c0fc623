package world

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Statuses of sessions, as Cove numbers them.
const (
	inProcess  = 1
	failed     = 2
	completed  = 5
	withErrors = 8
	restarted  = 12
)

var words = map[int]string{inProcess: "InProcess", failed: "Failed", completed: "Completed", withErrors: "Completed", restarted: "Restarted"}

// Data sources by their codes: what the services call them, and the mails.
var (
	plugins   = map[string]string{"D01": "FileSystem", "D02": "SystemState"}
	m365Types = map[string]string{"D19": "Exchange", "D20": "OneDrive"}
	names     = map[string]string{"D01": "Files and folders", "D02": "System state", "D19": "Microsoft 365 Exchange", "D20": "Microsoft 365 OneDrive"}
)

// listedSession is a session as it stands now, by the device's clock.
type listedSession struct {
	Session
	id         int // counts up by start
	start, end time.Time
	status     int
	listed     bool // by the history
}

// sessions gives those of the device that began, by start.
func (s *script) sessions(device int) (all []listedSession) {
	d, now := s.Devices[device], s.now()
	for _, x := range d.Sessions {
		all = append(all, listedSession{Session: x})
	}
	slices.SortStableFunc(all, func(a, b listedSession) int { return int(a.Start - b.Start) })
	for i := range all {
		x := &all[i]
		x.id = i + 1
		if x.Start > now {
			return all[:i]
		}
		off := s.Plan.offset(device, x.Start)
		x.start, x.status = s.epoch.Add(x.Start+off), x.Status
		if x.End > now {
			x.status = inProcess
		}
		if x.status != inProcess {
			x.end = s.epoch.Add(x.End + off)
		}
		x.listed = x.status == inProcess && !x.Late && d.Kind != Tenant || x.status != inProcess && x.End+x.Delay <= now
	}
	return all
}

// offset is that of the device's clock at that time.
func (p Plan) offset(device int, at time.Duration) time.Duration {
	off := p.Devices[device].Offset
	for _, c := range p.Changes {
		if p.Devices[device].Kind != Tenant && c.Kind == DeviceJumped && c.Device == device && c.At <= at {
			off -= 5 * time.Hour
		}
	}
	return off
}

// history answers QuerySessions and EnumerateSessions.
func (s *script) history(device int, p params) any {
	var from, until int64 = 0, 1 << 40
	var filter struct {
		CreatedAfter, CreatedBefore int64
		DataSources                 []string
	}
	if s.Devices[device].Kind == Tenant {
		_ = json.Unmarshal(p.Filter, &filter)
		from, until = filter.CreatedAfter, filter.CreatedBefore
	} else {
		var query string
		_ = json.Unmarshal(p.Query, &query)
		_, _ = fmt.Sscanf(query, "BackupStartTime >= %d and BackupStartTime < %d", &from, &until)
	}
	rows := []object{}
	all := s.sessions(device)
	slices.Reverse(all)
	for _, x := range all {
		at := x.start.Unix()
		if !x.listed || at < from || at >= until || len(filter.DataSources) > 0 && !slices.Contains(filter.DataSources, m365Types[x.Source]) {
			continue
		}
		rows = append(rows, s.listed(device, x))
	}
	first := min(p.Range.Offset, len(rows))
	return object{"result": rows[first:min(first+p.Range.Size, len(rows))]}
}

func (s *script) listed(device int, x listedSession) object {
	row := object{"Id": x.id, "Type": "BatchBackup", "Status": words[x.status], "StartTime": x.start.Unix(), "EndTime": 0, "ErrorsCount": 0,
		"SelectedCount": 10, "SelectedSize": 1000, "ProcessedCount": 5, "ProcessedSize": 500, "SentSize": 100}
	if !x.end.IsZero() {
		row["EndTime"] = x.end.Unix()
	}
	if x.status == withErrors {
		row["ErrorsCount"] = 1
	}
	if s.Devices[device].Kind == Tenant {
		row["DataSourceType"], row["Type"] = m365Types[x.Source], "Backup"
		if x.status == withErrors {
			row["Status"] = "CompletedWithErrors"
		}
	} else {
		row["PluginId"] = plugins[x.Source]
	}
	return row
}

// texts answers QueryErrors and EnumerateSessionErrors.
func (s *script) texts(device int, p params) any {
	rows := []object{}
	for _, x := range s.sessions(device) {
		switch {
		case x.status == completed || x.status == inProcess:
		case s.Devices[device].Kind == Tenant && m365Types[x.Source] == p.DataSourceType:
			rows = append(rows, object{"Id": x.id, "SessionId": x.id, "Timestamp": x.end.Unix(), "Count": 1, "Description": "text of " + x.Source})
		case int64(x.id) == p.SessionID:
			rows = append(rows, object{"Id": x.id, "SessionId": x.id, "Code": "1800", "Text": "text of " + x.Source, "Filename": `D:\x`, "Count": 1, "Time": x.end.Unix()})
		}
	}
	first := min(p.Range.Offset, len(rows))
	if p.Range.Size == 0 {
		p.Range.Size = len(rows)
	}
	return object{"result": rows[first:min(first+p.Range.Size, len(rows))]}
}

// sources gives the codes of the device's data sources.
func (d Device) sources() (codes []string) {
	for _, x := range d.Sessions {
		if !slices.Contains(codes, x.Source) {
			codes = append(codes, x.Source)
		}
	}
	slices.Sort(codes)
	return codes
}
