package cove

// columnCode is a column as a number, so that it can be looked up without a
// string: D01F15 is 1*256+15, I78 is firstDevice+78.
type columnCode int32

const (
	noColumn    columnCode = -1 // one that is not read
	firstDevice columnCode = 1 << 16
	codeID                 = firstDevice + 0
	codeCloud              = firstDevice + 36
	codeVault              = firstDevice + 37
	codeSources            = firstDevice + 78
)

// source gives the data source and the field of a column that has them.
func (c columnCode) source() (source, field, bool) {
	return source(c >> 8), field(c & 255), c >= 0 && c < firstDevice
}

// codeOf finds a column by any of its names.
func codeOf(name string) columnCode {
	if c, ok := plainCode([]byte(canonical(name))); ok {
		return c
	}
	return noColumn
}

// plainCode reads the usual spellings, D01F00 and I78, with any zeros.
func plainCode(name []byte) (columnCode, bool) {
	if len(name) < 2 {
		return 0, false
	}
	n, i := 0, 1
	for ; i < len(name) && i < 5 && '0' <= name[i] && name[i] <= '9'; i++ {
		n = n*10 + int(name[i]-'0')
	}
	switch {
	case i == 1:
		return 0, false
	case name[0] == 'I' && i == len(name):
		return firstDevice + columnCode(n), true
	case name[0] != 'D', i > 3, i == len(name), name[i] != 'F':
		return 0, false
	}
	f, at := 0, i+1
	for i = at; i < len(name) && '0' <= name[i] && name[i] <= '9'; i++ {
		f = f*10 + int(name[i]-'0')
	}
	if i == at || i > at+2 || i < len(name) {
		return 0, false
	}
	return columnCode(n<<8 | f), true
}
