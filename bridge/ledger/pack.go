package ledger

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync"
)

// How packed bytes begin.
const (
	stored   = 0 // as they are
	deflated = 1 // RFC 1951
)

// maxUnpacked bounds what unpack makes of damaged or hostile bytes, in bytes.
// It is far above the largest mail that a mailbox takes.
const maxUnpacked = 64 << 20

// deflaters holds one that is not in use. A deflater is a megabyte, far more than
// what it is used for; each collection of garbage would empty a sync.Pool of it.
var deflaters = make(chan *flate.Writer, 1)

var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// getDeflater gives one that nobody uses, to be given back by putDeflater.
func getDeflater() *flate.Writer {
	select {
	case w := <-deflaters:
		return w
	default:
		w, err := flate.NewWriter(nil, flate.BestSpeed) // a few hundredths larger, in half the time
		if err != nil {
			panic(err) // only a level that does not exist does that
		}
		return w
	}
}

func putDeflater(w *flate.Writer) {
	select {
	case deflaters <- w:
	default:
	}
}

// pack makes bytes smaller, where that pays.
func pack(plain []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(plain)/2 + 64)
	b.WriteByte(deflated)
	w := getDeflater()
	defer putDeflater(w)
	w.Reset(&b)
	w.Write(plain) // a bytes.Buffer takes everything
	w.Close()
	if b.Len() > len(plain) {
		return append([]byte{stored}, plain...)
	}
	return b.Bytes()
}

// unpack gives what pack was given.
func unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, errors.New("unpack: nothing is there")
	}
	switch packed[0] {
	case stored:
		return packed[1:], nil
	case deflated:
		r := inflaters.Get().(io.Reader)
		defer inflaters.Put(r)
		err := r.(flate.Resetter).Reset(bytes.NewReader(packed[1:]), nil)
		if err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		plain, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
		if err == nil && len(plain) > maxUnpacked {
			err = fmt.Errorf("more than %d MiB", maxUnpacked>>20)
		}
		if err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		return plain, nil
	}
	return nil, fmt.Errorf("unpack: unknown form %d", packed[0])
}
