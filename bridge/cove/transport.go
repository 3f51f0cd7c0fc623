package cove

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	callTimeout = 2 * time.Minute // one try of one call, its reply included
	maxReply    = 64 << 20        // bytes of a reply, unpacked
	maxWait     = 10 * time.Minute
	firstWait   = time.Second
	longestWait = 30 * time.Second
)

var (
	errTooBig   = fmt.Errorf("the reply is larger than %d MiB: set poll.page_size lower", maxReply>>20)
	errRedirect = errors.New("refused a redirect to another host, or one too many: check the URL in the configuration")
)

// broken is a failure that another try may mend: a reply that is cut off, is
// no JSON, or came with a status that says so.
type broken struct{ err error }

func (b broken) Error() string { return b.err.Error() }
func (b broken) Unwrap() error { return b.err }

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

// again tells whether another try of a failed call makes sense.
func again(ctx context.Context, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	var (
		answer      *Error
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		network     net.Error
		b           broken
	)
	switch {
	case err == nil, errors.As(err, &answer), errors.Is(err, errTooBig), errors.Is(err, errRedirect),
		errors.As(err, &certificate), errors.As(err, &authority):
		return false, nil
	case errors.As(err, &b), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true, nil
	}
	return false, nil
}

// wait is how long to rest before the next try: as the server says, or a time
// that doubles, with some chance in it so that many clients don't call at once.
func wait(_, _ time.Duration, try int, resp *http.Response) time.Duration {
	if resp != nil {
		if d, ok := retryAfter(resp); ok {
			return min(d, maxWait)
		}
	}
	d := min(firstWait<<min(try, 10), longestWait)
	return d/2 + rand.N(d/2)
}

// retryAfter reads Retry-After (RFC 9110 section 10.2.3): seconds, or a date,
// which is compared with the reply's own Date, for our clock may be off.
func retryAfter(resp *http.Response) (time.Duration, bool) {
	text := resp.Header.Get("Retry-After")
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return time.Duration(min(n, int64(maxWait/time.Second))) * time.Second, true
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

// bounded reads a reply up to maxReply bytes, then fails.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooBig
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
