package covesim

import (
	"net/http"
	"slices"
	"strings"
)

// nodeParams is what the nodes' methods take.
type nodeParams struct {
	AccountID      int64
	Account, Token string
	Query, OrderBy string
	SessionID      int64
	GroupID        int64
	Range          *struct{ Offset, Size int }
}

// node answers at a storage node. It knows devices by name and token, and
// takes no notice of a visa.
func (s *Sim) node(_ *http.Request, c *call) (any, error) {
	p, err := params[nodeParams](c)
	if err != nil {
		return nil, err
	}
	s.world.RLock()
	defer s.world.RUnlock()
	d := s.fleet.byID[p.AccountID]
	if d == nil || d.name != p.Account || d.token != p.Token || d.kind == tenant || c.host != "" && c.host != d.host {
		return nil, errDenied
	}
	switch c.Method {
	case "QuerySessions":
		return s.querySessions(c, d, p)
	case "QueryErrors":
		return s.queryErrors(c, d, p)
	case "EnumerateSessionErrorsGroupDetails":
		return s.groupDetails(c, d, p)
	}
	return nil, errNotFound
}

// querySessions answers QuerySessions.
func (s *Sim) querySessions(c *call, d *device, p nodeParams) (any, error) {
	f, err := parseFilter(p.Query, c.now)
	if err != nil {
		return nil, &rpcError{code: -32603, message: err.Error()}
	}
	var found []Session
	since := lowerBound(p.Query)
	for x := range s.fleet.newestFirst(d, c.now) {
		if x.Start.Unix() < since {
			break
		}
		if x = x.at(c.now); f.matches(d.fields(x)) {
			found = append(found, x)
		}
	}
	if !strings.HasSuffix(strings.ToUpper(p.OrderBy), " DESC") {
		slices.Reverse(found)
	}
	rows := []object{}
	for _, x := range page(found, p.Range) {
		rows = append(rows, d.sessionRow(x))
	}
	return inner(rows), nil
}

// page cuts a range out of a list; without a range it is the whole list.
func page[T any](list []T, r *struct{ Offset, Size int }) []T {
	if r == nil {
		return list
	}
	from := min(max(0, r.Offset), len(list))
	return list[from:min(from+max(0, r.Size), len(list))]
}

// sessionRow writes a session with the spellings of the device's node.
func (d *device) sessionRow(x Session) object {
	start, end, plugin := "StartTime", "EndTime", "PluginId"
	if d.has(OtherFields) {
		start, end, plugin = "BackupStartTime", "BackupEndTime", "Plugin"
	}
	source := d.source(x.Source)
	row := object{
		"Id": x.ID, "Type": "BatchBackup", plugin: source.plugin, "Status": statusWord(d.reportedStatus(x)),
		"Flags": []string{"Synchronized", "Accelerated"}, "BuildVersion": " " + d.client + "\r\n", "RemovedFilesCount": 0,
	}
	if x.Restore {
		row["Type"] = "BatchRestore"
	}
	if d.has(PluginNumbers) && source.id != 0 {
		delete(row, plugin)
		row["Plugin"] = source.id
	}
	if d.has(StatusNumbers) {
		row["Status"] = d.reportedStatus(x)
	}
	row[start], row[end] = d.number(seconds(x.Start)), d.number(seconds(x.End))
	if x.Status == NotStarted && d.has(Timeless) {
		row[start], row[end] = d.number(0), d.number(0)
	}
	for name, v := range map[string]int64{
		"ErrorsCount": d.reportedErrors(x), "SelectedCount": x.SelectedCount, "SelectedSize": x.SelectedBytes,
		"ProcessedCount": x.ProcessedCount, "ProcessedSize": x.ProcessedBytes, "ChangedCount": x.ProcessedCount,
		"ChangedSize": x.ProcessedBytes, "SentSize": x.SentBytes, "NewCount": x.ProcessedCount / 3,
		"NewSize": x.ProcessedBytes / 3, "DeletedCount": x.ProcessedCount / 9,
	} {
		row[name] = d.number(v)
	}
	return row
}

// number writes a number as the device's node does.
func (d *device) number(v int64) any {
	switch {
	case v == 0 && d.has(NullFields):
		return nil
	case d.has(TextNumbers):
		return itoa(v)
	}
	return v
}
