package covesim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// statisticsQuery is what EnumerateAccountStatistics is asked.
type statisticsQuery struct {
	PartnerID         int64
	StartRecordNumber int
	RecordsCount      *int // absent: 1
	Columns           []string
	Filter, OrderBy   string
	Totals            []string
}

// statisticsRow is one device. Settings is null for some.
type statisticsRow struct {
	AccountID int64    `json:"AccountId"`
	PartnerID int64    `json:"PartnerId"`
	Flags     []string `json:"Flags"`
	Settings  []object `json:"Settings"`
}

// statistics answers EnumerateAccountStatistics: the present of a page of devices.
func (s *Sim) statistics(c *call) (any, error) {
	p, err := params[struct{ Query statisticsQuery }](c)
	if err != nil {
		return nil, err
	}
	q := p.Query
	count := 1
	if q.RecordsCount != nil {
		count = max(0, *q.RecordsCount)
	}
	from := max(0, q.StartRecordNumber)
	orderly := q.OrderBy == "" || q.OrderBy == "I0 ASC"
	enough := from + count
	if !orderly || q.Totals != nil {
		enough = len(s.fleet.devices)
	}
	found, err := s.match(c, q, enough)
	if err != nil {
		return nil, err
	}
	if !orderly {
		order(found, q.OrderBy)
	}
	columns := namedColumns(q.Columns)
	rows := []statisticsRow{}
	for _, r := range found[min(from, len(found)):min(from+count, len(found))] {
		rows = append(rows, statisticsRow{r.id, r.customer.id, nil, r.settings(columns)})
	}
	result := inner(rows)
	if q.Totals != nil {
		result["totalRecordsCount"] = len(found)
		if result["totalStatistics"], err = totals(c, q.Totals, found); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// match gives the devices asked for, in the order of their ids, and stops
// when there are enough. Somebody else's customer has none.
func (s *Sim) match(c *call, q statisticsQuery, enough int) (found []*record, err error) {
	f, err := parseFilter(q.Filter, c.now)
	if err != nil {
		return nil, &rpcError{code: -32603, message: err.Error()}
	}
	top := s.fleet.find(q.PartnerID)
	for _, d := range s.fleet.devices {
		if len(found) == enough {
			break
		}
		if top == nil || !d.customer.within(top) {
			continue
		}
		if r := (&record{fleet: s.fleet, device: d, now: c.now}); f.matches(r.look) {
			found = append(found, r)
		}
	}
	return found, nil
}

// order sorts by a column: "I1 DESC".
func order(found []*record, by string) {
	name, direction, _ := strings.Cut(by, " ")
	slices.SortStableFunc(found, func(a, b *record) int {
		if strings.EqualFold(direction, "DESC") {
			a, b = b, a
		}
		return compare(a.look(name), b.look(name))
	})
}

// totals counts for each of "COUNT(AT==1)" how many meet the condition.
func totals(c *call, asked []string, found []*record) (list []object, err error) {
	for _, text := range asked {
		f, err := parseFilter(strings.TrimSuffix(strings.TrimPrefix(text, "COUNT("), ")"), c.now)
		if err != nil {
			return nil, &rpcError{code: -32603, message: err.Error()}
		}
		n := 0
		for _, r := range found {
			if f.matches(r.look) {
				n++
			}
		}
		list = append(list, object{text: fmt.Sprint(n)})
	}
	return list, nil
}

// namedColumn is a column and how it was spelled in the question.
type namedColumn struct {
	column
	name string
}

// namedColumns are those asked for that there are.
func namedColumns(asked []string) (list []namedColumn) {
	for _, name := range asked {
		if c, known := parseColumn(name); known {
			list = append(list, namedColumn{c, name})
		}
	}
	return list
}

// settings gives the columns, each as an object with one key. Unknown ones,
// and those that the device has not, are missing.
func (r *record) settings(columns []namedColumn) []object {
	if r.has(NeverRan) && r.index%40 > 20 {
		return nil
	}
	list := make([]object, 0, len(columns))
	for _, named := range columns {
		c, name := named.column, named.name
		if r.has(OtherKeys) {
			name = c.other(r.index)
		}
		v, there := r.value(c)
		switch {
		case !there && r.has(NullColumns):
			list = append(list, object{name: nil})
		case there:
			list = append(list, object{name: r.spell(v)})
		}
	}
	return list
}

// spell gives a value as a string, or as some clients saw it.
func (r *record) spell(v string) any {
	_, err := number(v)
	switch {
	case r.has(ListedValues):
		return []string{v}
	case r.has(BareNumbers) && err == nil && (v == "0" || v[0] != '0'):
		return json.Number(v)
	}
	return v
}
