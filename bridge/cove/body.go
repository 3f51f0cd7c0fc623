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
	errStalled = fmt.Errorf("the reply stalled for %v", stallTimeout)
	errSilent  = fmt.Errorf("no whole reply within %v", callTimeout)
	errEnd     = errors.New("the call is over")
)

// watch is a transport that gives up a reply that stalls.
type watch struct{ next http.RoundTripper }

// RoundTrip makes a call whose body must be closed, as always.
func (w watch) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	whole := time.AfterFunc(callTimeout, func() { cancel(errSilent) })
	resp, err := w.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
			err = cause
		}
		whole.Stop()
		cancel(errEnd)
		return nil, err
	}
	stall := time.AfterFunc(stallTimeout, func() { cancel(errStalled) })
	stall.Stop()
	resp.Body = &watchedBody{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, whole: whole, stall: stall, patience: stallTimeout}
	return resp, nil
}

// watchedBody is a reply's body, each read of which may take so long.
type watchedBody struct {
	io.ReadCloser
	ctx          context.Context
	cancel       context.CancelCauseFunc
	whole, stall *time.Timer
	patience     time.Duration
}

// Read tells why it was given up, if it was.
func (b *watchedBody) Read(p []byte) (int, error) {
	b.stall.Reset(b.patience)
	n, err := b.ReadCloser.Read(p)
	b.stall.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(b.ctx); errors.Is(cause, errStalled) || errors.Is(cause, errSilent) {
			err = cause
		}
	}
	return n, err
}

// Close ends the watch.
func (b *watchedBody) Close() error {
	b.stall.Stop()
	b.whole.Stop()
	err := b.ReadCloser.Close()
	b.cancel(errEnd)
	return err
}

// drain reads what is left of a body, if it is little and comes soon, so that
// its connection serves the next call.
func drain(body io.ReadCloser) {
	if b, ok := body.(*watchedBody); ok {
		b.patience = drainTimeout
	}
	io.CopyN(io.Discard, body, drainBytes)
	body.Close()
}
