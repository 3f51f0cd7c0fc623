package world

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// statistics answers EnumerateAccountStatistics.
func (s *script) statistics(raw json.RawMessage) (any, int) {
	var q struct {
		StartRecordNumber, RecordsCount int
		Columns                         []string
		Filter                          string
	}
	if err := json.Unmarshal(raw, &q); err != nil {
		return nil, http.StatusBadRequest
	}
	if q.RecordsCount > 1 && q.StartRecordNumber > 0 && s.during(PageFails, -1) {
		return nil, http.StatusInternalServerError
	}
	hours := 0
	_, _ = fmt.Sscanf(q.Filter, "TS > %d.hour().ago()", &hours)
	rows := []object{}
	for device := range s.Devices {
		if s.during(Vanished, device) || hours > 0 && s.now()-s.touched(device) >= time.Duration(hours)*time.Hour {
			continue
		}
		customer, _ := s.customer(device)
		rows = append(rows, object{"AccountId": firstID + device, "PartnerId": customer, "Flags": nil, "Settings": s.settings(device, q.Columns)})
	}
	first := min(q.StartRecordNumber, len(rows))
	return object{"result": rows[first:min(first+q.RecordsCount, len(rows))]}, http.StatusOK
}

// touched is when something last happened to the device.
func (s *script) touched(device int) (last time.Duration) {
	for _, x := range s.sessions(device) {
		last = max(last, x.Start)
		if x.status != inProcess {
			last = max(last, x.End)
		}
	}
	return last
}

func (s *script) settings(device int, columns []string) any {
	if s.during(NullRow, device) {
		return nil
	}
	d := s.Devices[device]
	_, customer := s.customer(device)
	values := map[string]string{
		"I0": strconv.Itoa(firstID + device), "I1": s.name(device), "I4": strconv.FormatInt(s.epoch.AddDate(-1, 0, 0).Unix(), 10),
		"I8": customer, "I16": "Windows", "I18": fmt.Sprintf("SRV%02d", device), "I32": "2", "I59": "1", "I78": strings.Join(d.sources(), ""),
	}
	switch d.Kind {
	case Workstation:
		values["I32"] = "1"
	case Tenant:
		values["I32"], values["I59"] = "0", "2"
	}
	if s.during(PartialRow, device) {
		for _, missing := range []string{"I1", "I32", "I59", "I78"} {
			delete(values, missing)
		}
	}
	for _, source := range d.sources() {
		s.fields(device, source, values)
	}
	list := []object{}
	for _, c := range columns {
		if v, there := values[c]; there {
			list = append(list, object{c: v})
		}
	}
	return list
}

// fields fills in what statistics tell of one data source.
func (s *script) fields(device int, source string, values map[string]string) {
	var last, done *listedSession
	for _, x := range s.sessions(device) {
		if x.Source != source {
			continue
		}
		last = &x
		if x.status != inProcess && x.status != restarted {
			done = &x
		}
	}
	if last == nil {
		return
	}
	set := func(field int, v int64) { values[fmt.Sprintf("%sF%02d", source, field)] = strconv.FormatInt(v, 10) }
	told := func(t time.Time) int64 { return t.Add(s.Skew).Unix() }
	set(0, int64(last.status))
	switch {
	case last.status != inProcess && s.F15IsEnd:
		set(15, told(last.end))
	case last.status != inProcess || !s.Vague:
		set(15, told(last.start))
	}
	if done == nil {
		return
	}
	set(17, int64(done.status))
	set(12, int64(done.end.Sub(done.start)/time.Second))
	set(18, told(done.end))
	if s.F18Starts {
		set(18, told(done.start))
	}
	set(1, 10)
	set(3, 1000)
	if done.status == withErrors {
		set(6, 1)
	}
}
