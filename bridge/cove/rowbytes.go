package cove

import (
	"bytes"
	"encoding/binary"
)

// What rowScan needs to find its way through bytes that are valid JSON. They
// are loops of their own because they take most of its time.

// next gives where the next thing begins that is no white space.
func next(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t' {
		i++
	}
	return i
}

// skipString gives what follows the string that begins at i, and tells whether
// its bytes are its text: no escapes, and ASCII.
func skipString(b []byte, i int) (end int, plain bool) {
	plain = true
	for i++; ; i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1, plain
		case c == '\\':
			plain = false
			i++
		case c >= 0x80:
			plain = false
		}
	}
}

// skipValue gives what follows the value that begins at i.
func skipValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		end, _ := skipString(b, i)
		return end
	case '{', '[':
		for depth := 0; ; {
			switch b[i] {
			case '"':
				i, _ = skipString(b, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
	}
	for ; i < len(b); i++ {
		switch b[i] {
		case ',', '}', ']', ' ', '\n', '\r', '\t':
			return i
		}
	}
	return i
}

// trim cuts white space off.
func trim(text []byte) []byte {
	if n := len(text); n == 0 || text[0] > ' ' && text[0] < 0x80 && text[n-1] > ' ' && text[n-1] < 0x80 {
		return text
	}
	return bytes.TrimSpace(text)
}

// The hash of a column is FNV-1a (draft-eastlake-fnv) by words of eight bytes,
// the last one filled up with zeros, with MurmurHash3's last step behind it,
// for FNV's bits are too much alike to be summed up.
const (
	fnvBasis uint64 = 14695981039346656037
	fnvPrime uint64 = 1099511628211
)

// columnHash is where the hash of a column begins, by data source and field.
var columnHash = func() (all [100][fDoneTime + 1]uint64) {
	for s := range all {
		for f := range all[s] {
			all[s][f] = fnv1a(fnvBasis, []byte(column(source(s), field(f))))
		}
	}
	return all
}()

func hashColumn(s source, f field, text []byte) uint64 { return mix(fnv1a(columnHash[s][f], text)) }

func fnv1a(h uint64, text []byte) uint64 {
	h ^= uint64(len(text))
	for ; len(text) >= 8; text = text[8:] {
		h = (h ^ binary.LittleEndian.Uint64(text)) * fnvPrime
		h ^= h >> 32 // or the high bits would never reach the low ones
	}
	var last uint64
	for i, c := range text {
		last |= uint64(c) << (8 * i)
	}
	return (h ^ last) * fnvPrime
}

func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
