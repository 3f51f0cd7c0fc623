package cove

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// How long the parts of one try may take.
const (
	callTimeout  = 2 * time.Minute  // all of it
	stallTimeout = 30 * time.Second // since a body's last byte
	drainTimeout = time.Second      // since its last byte, when nothing more is wanted of it
	drainBytes   = 64 << 10
)

var (
	errStalled     = fmt.Errorf("the reply stalled for %v", stallTimeout)
	errCallTimeout = fmt.Errorf("no whole reply within %v", callTimeout)
	errCallOver    = errors.New("the call is over")
)

// stallTransport is a transport that gives up a reply that stalls.
type stallTransport struct{ next http.RoundTripper }

// RoundTrip makes a call whose body must be closed, as always.
func (w stallTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	total := time.AfterFunc(callTimeout, func() { cancel(errCallTimeout) })
	resp, err := w.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		if cause := context.Cause(ctx); errors.Is(cause, errCallTimeout) {
			err = cause
		}
		total.Stop()
		cancel(errCallOver)
		return nil, err
	}
	stall := time.AfterFunc(stallTimeout, func() { cancel(errStalled) })
	stall.Stop()
	resp.Body = &stallBody{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, total: total, stall: stall, stallAfter: stallTimeout}
	return resp, nil
}

// stallBody is a reply's body, each read of which may take so long.
type stallBody struct {
	io.ReadCloser
	ctx          context.Context
	cancel       context.CancelCauseFunc
	total, stall *time.Timer
	stallAfter   time.Duration
}

// Read tells why it was given up, if it was.
func (b *stallBody) Read(p []byte) (int, error) {
	b.stall.Reset(b.stallAfter)
	n, err := b.ReadCloser.Read(p)
	b.stall.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(b.ctx); errors.Is(cause, errStalled) || errors.Is(cause, errCallTimeout) {
			err = cause
		}
	}
	return n, err
}

// Close stops the timers.
func (b *stallBody) Close() error {
	b.stall.Stop()
	b.total.Stop()
	err := b.ReadCloser.Close()
	b.cancel(errCallOver)
	return err
}

// drain reads what is left of a body, if it is little and comes soon, so that
// its connection serves the next call.
func drain(body io.ReadCloser) {
	if b, ok := body.(*stallBody); ok {
		b.stallAfter = drainTimeout
	}
	io.CopyN(io.Discard, body, drainBytes)
	body.Close()
}
