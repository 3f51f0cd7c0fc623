package covesim

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"
)

// err is the error that the call is answered with, if the fault is one of those.
func (f Fault) err() error {
	switch f.Kind {
	case VisaExpired:
		return errVisa
	case Denied:
		return errDenied
	case Locked:
		return errLocked
	}
	return nil
}

// before does what happens in place of the call, or before it; it tells
// whether the call goes on.
func (f Fault) before(w http.ResponseWriter, r *http.Request) bool {
	switch f.Kind {
	case Unreachable:
		panic(http.ErrAbortHandler) // closes the connection
	case Throttled:
		w.Header().Set("Retry-After", strconv.Itoa(int((f.Delay+time.Second-1)/time.Second)))
		http.Error(w, "Too many requests", http.StatusTooManyRequests)
		return false
	case Broken:
		http.Error(w, "Internal server error", http.StatusInternalServerError)
		return false
	case Slow:
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			return false
		}
	}
	return true
}

// write sends the reply, or what the fault makes of it.
func (f Fault) write(w http.ResponseWriter, reply []byte) {
	half := len(reply) / 2
	switch f.Kind {
	case CutOff:
		w.Header().Set("Content-Length", strconv.Itoa(len(reply)))
		w.Write(reply[:half])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case Garbled:
		reply = append(append(bytes.Clone(reply[:half]), "\x01}{,"...), reply[half:]...)
	case HTML:
		w.Header().Set("Content-Type", "text/html")
		reply = []byte("<!DOCTYPE html><html><body><h1>Service maintenance</h1></body></html>")
	case Huge:
		blanks := bytes.Repeat([]byte(" "), 1<<16)
		for sent := int64(0); sent < f.Size; sent += int64(len(blanks)) {
			if _, err := w.Write(blanks); err != nil {
				return
			}
		}
	}
	io.Copy(w, bytes.NewReader(reply))
}
