package cove

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"covebridge/bridge/backup"
)

// rowScan reads of a device's row what is needed of every device at every poll:
// its id, which data sources it has, and the fingerprint.
//
// This is the hot code of the package: with 10,000 devices it sees some 12 MB
// at each sweep, and nearly all of it is the same as the time before. So it
// goes through the bytes once, without a map or a string, and leaves what is
// unusual (escapes, arrays, odd spellings) to the code that parseRow uses.
// jsontext has found the bytes to be valid JSON before. What it does more
// simply said stands in rowscan_test.go.
type rowScan struct {
	id        int64
	anyColumn bool // one is told
	sources   sourceSet

	idColumn int64   // I0
	seen     [4]bool // I0, I78, I36, I37
	storage  backup.Storage
	fields   [100]sourceScan
	touched  sourceSet
	codes    map[string]columnCode // odd spellings of columns met so far
}

// sourceScan is what a row tells of one data source.
type sourceScan struct {
	seen                 uint32 // bits of fields
	hashAll, hashRunning uint64 // sums of hashes, of all fields and of those of a running session
	running              bool
	hasTime              bool // F15 or F18 is told
}

// scan reads a row.
func (s *rowScan) scan(raw jsontext.Value) {
	for src := range s.touched.all() {
		s.fields[src] = sourceScan{}
	}
	s.id, s.anyColumn, s.sources, s.touched, s.idColumn, s.seen = 0, false, sourceSet{}, sourceSet{}, 0, [4]bool{}
	s.storage = backup.Storage{}
	switch raw[0] {
	case '{':
		s.row(raw)
	case '[':
		s.settings(raw, 0)
	}
	if s.id == 0 {
		s.id = s.idColumn
	}
}

func (s *rowScan) row(b []byte) {
	var known bool
	for i := next(b, 1); b[i] != '}'; {
		end, _ := skipString(b, i)
		key := b[i:end]
		i = next(b, next(b, end)+1)
		switch memberOfRaw(key) {
		case memberID:
			end = skipValue(b, i)
			if !known {
				s.id, known = idOf(b[i:end])
			}
		case memberSettings:
			end = s.settings(b, i)
		default:
			end = skipValue(b, i)
		}
		if i = next(b, end); b[i] == ',' {
			i = next(b, i+1)
		}
	}
}

// settings reads the list that begins at i, or the object, and gives where it
// ended.
func (s *rowScan) settings(b []byte, i int) int {
	switch b[i] {
	case '{':
		return s.columns(b, i)
	case '"':
		return s.pair(b, i)
	case '[':
	default:
		return skipValue(b, i)
	}
	for i = next(b, i+1); b[i] != ']'; {
		switch b[i] {
		case '{':
			i = s.columns(b, i)
		case '"':
			i = s.pair(b, i)
		default:
			i = skipValue(b, i)
		}
		if i = next(b, i); b[i] == ',' {
			i = next(b, i+1)
		}
	}
	return i + 1
}

// columns reads the object that begins at i.
func (s *rowScan) columns(b []byte, i int) int {
	for i = next(b, i+1); b[i] != '}'; {
		end, _ := skipString(b, i)
		c := s.code(b[i:end])
		i = next(b, next(b, end)+1)
		if b[i] == '"' {
			var plain bool
			if end, plain = skipString(b, i); plain {
				s.set(c, b[i+1:end-1])
			} else {
				s.column(c, b[i:end])
			}
		} else {
			end = skipValue(b, i)
			s.column(c, b[i:end])
		}
		if i = next(b, end); b[i] == ',' {
			i = next(b, i+1)
		}
	}
	return i + 1
}

// pair reads the text CODE=value that begins at i.
func (s *rowScan) pair(b []byte, i int) int {
	end, _ := skipString(b, i)
	text := []byte(valueOf(b[i:end]).text)
	if name, v, ok := bytes.Cut(text, []byte("=")); ok {
		s.set(codeOf(string(name)), v)
	}
	return end
}

// code finds a column by its name in quotes.
func (s *rowScan) code(quoted []byte) columnCode {
	if c, ok := plainCode(quoted[1 : len(quoted)-1]); ok {
		return c
	}
	if c, ok := s.codes[string(quoted)]; ok {
		return c
	}
	c := codeOf(valueOf(quoted).text)
	if s.codes == nil {
		s.codes = map[string]columnCode{}
	}
	if len(s.codes) < 1000 && len(quoted) < 20 {
		s.codes[string(quoted)] = c
	}
	return c
}

// column reads a column's value, whatever it is.
func (s *rowScan) column(c columnCode, raw []byte) {
	if '0' <= raw[0] && raw[0] <= '9' {
		s.set(c, raw)
	} else if v := valueOf(raw); v.set {
		s.set(c, []byte(v.text))
	}
}

// set takes a column's first value into account.
func (s *rowScan) set(c columnCode, text []byte) {
	s.anyColumn = true
	switch c {
	case codeID:
		if !s.seen[0] {
			s.idColumn, s.seen[0] = idOfText(text), true
		}
		return
	case codeSources:
		if !s.seen[1] {
			s.seen[1] = true
			for src := range activeSources(text) {
				s.sources.add(src)
			}
		}
		return
	case codeCloud:
		if !s.seen[2] {
			s.seen[2], s.storage.Cloud = true, copyOfText(text)
		}
		return
	case codeVault:
		if !s.seen[3] {
			s.seen[3], s.storage.Vault = true, copyOfText(text)
		}
		return
	}
	src, f, ok := c.source()
	if !ok || src == total || f > fDoneTime || !isSessionField[f] {
		return
	}
	field := &s.fields[src]
	if field.seen&(1<<f) != 0 {
		return
	}
	field.seen |= 1 << f
	s.touched.set(src)
	if text = trim(text); len(text) == 0 || len(text) == 1 && text[0] == '0' {
		return
	}
	h := hashColumn(src, f, text)
	field.hashAll += h
	switch f {
	case fTime, fDoneTime:
		field.hasTime = true
		field.hashRunning += h
	case fDoneStatus:
		field.hashRunning += h
	case fStatus:
		field.hashRunning += h
		st := statusOf(text)
		field.running = st.running()
		if !st.none() {
			s.sources.add(src)
		}
	}
}

// fingerprint changes whenever anything that tells of sessions does, but not
// with the counters of a session that runs; and when the copy in the cloud has
// caught up with the one beside the device, or no more. 0: no column is told at
// all. It is a sum, so that it does not depend on the order of the columns, and
// the same on every machine.
func (s *rowScan) fingerprint() uint64 {
	var sum uint64
	for src := range s.touched.all() {
		if f := &s.fields[src]; f.running && f.hasTime {
			sum += f.hashRunning
		} else {
			sum += f.hashAll
		}
	}
	if s.storage.Behind() {
		sum += hashBehind
	}
	if sum == 0 && s.anyColumn {
		return 1
	}
	return sum
}

// hashBehind is any number, and stays the same.
const hashBehind = 0x9e3779b97f4a7c15

// copyOfText is copyOf of a column's text, for two numbers that nearly all are.
func copyOfText(text []byte) backup.Copy {
	switch string(text) {
	case "0":
		return ""
	case "100":
		return backup.CopySynchronised
	}
	return copyOf(value{string(text), true})
}
