package cove

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	maxRetryAfter = 10 * time.Minute
	minRetryDelay = time.Second
	maxRetryDelay = 30 * time.Second
	maxTimeouts   = 2 // of one call, that end by waiting in vain
)

var (
	errTooLong  = errors.New("the reply is longer than what was asked for can take: set poll.page_size lower, and check the URL in the configuration")
	errRedirect = errors.New("refused a redirect to another host, or one too many: check the URL in the configuration")
)

// transientError is a failure that another try may mend: a reply that is cut off, is
// no JSON, or came with a status that says so.
type transientError struct{ err error }

func (b transientError) Error() string { return b.err.Error() }
func (b transientError) Unwrap() error { return b.err }

func newTransport(connections int) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = 10 * time.Second
	t.MaxIdleConnsPerHost = connections
	t.MaxResponseHeaderBytes = 1 << 20
	return t
}

// sameHost lets a redirect pass only within its host: a call carries secrets.
func sameHost(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	if req.URL.Host != first.Host || req.URL.Scheme != first.Scheme || len(via) > 3 {
		return errRedirect
	}
	return nil
}

// retryable tells whether another try of a failed call makes sense.
func retryable(ctx context.Context, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	var (
		answer      *Error
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		network     net.Error
		b           transientError
	)
	switch {
	case err == nil, errors.As(err, &answer), errors.Is(err, errTooLong), errors.Is(err, errRedirect),
		errors.As(err, &certificate), errors.As(err, &authority):
		return false, nil
	case errors.As(err, &b), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true, nil
	}
	return false, nil
}

// retryDelay is how long to rest before the next try: as the server says, but at
// least a second, or a time that doubles, with some chance in it so that many
// clients don't call at once.
func retryDelay(try int, resp *http.Response) time.Duration {
	if resp != nil {
		if d, ok := retryAfter(resp); ok {
			return min(max(d, minRetryDelay), maxRetryAfter)
		}
	}
	d := min(minRetryDelay<<min(try, 10), maxRetryDelay)
	return d + rand.N(d/2)
}

// retryAfter reads Retry-After (RFC 9110 section 10.2.3): seconds, or a date,
// which is compared with the reply's own Date, for our clock may be off.
func retryAfter(resp *http.Response) (time.Duration, bool) {
	text := resp.Header.Get("Retry-After")
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return time.Duration(min(n, int64(maxRetryAfter/time.Second))) * time.Second, true
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	now, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(until.Sub(now), 0), true
}
