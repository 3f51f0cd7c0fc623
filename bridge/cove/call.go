package cove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// authMethod says what a call proves its right with.
type authMethod int

const (
	authVisa   authMethod = iota // the visa stands in the body, beside params
	authBearer                   // the visa stands in the header Authorization, not in the body
	authParams                   // params hold what it takes, and no visa is sent
	authGet                      // as authBearer, by a GET without a body; method is what errors call it
)

// request is one call of a method.
type request struct {
	url    string
	method string
	params any
	auth   authMethod
	tries  int // 0: five
	rows   int // asked for, at most; bounds the reply
}

// reply is what came with a call's result.
type reply struct {
	visa string
	// serverTime is Cove's clock before it read the data: the reply's Date, less the
	// time the call took, less a second, for Date has whole seconds only.
	serverTime time.Time
	sent       time.Time // by our clock
}

// call makes a call, with a visa where it takes one, and once again with a new
// visa where Cove says that it is not good. decode is given the result; it may
// be called several times, and each call begins anew.
func (c *Client) call(ctx context.Context, r request, decode func(*decoder) error) (reply, error) {
	if r.auth == authParams {
		return c.send(ctx, r, "", decode)
	}
	visa, err := c.visa(ctx, "")
	if err != nil {
		return reply{}, err
	}
	answer, err := c.send(ctx, r, visa, decode)
	if isVisaExpired(err) {
		if visa, err = c.visa(ctx, visa); err != nil {
			return reply{}, err
		}
		answer, err = c.send(ctx, r, visa, decode)
	}
	// A reply that says the visa is dead carries none that is worth keeping.
	if answer.visa != "" && !isVisaExpired(err) {
		c.visas.replace(c, answer.visa, answer.sent)
	}
	return answer, err
}

// send makes one call, and tries again where that may help.
func (c *Client) send(ctx context.Context, r request, visa string, decode func(*decoder) error) (reply, error) {
	req, err := newRequest(ctx, r, visa)
	if err != nil {
		return reply{}, fmt.Errorf("%s: %w", r.method, err)
	}
	x := &exchange{c: c, ctx: ctx, request: r, decode: decode, host: req.URL.Host}
	defer x.release()
	if err := x.acquire(nil); err != nil {
		return reply{}, fmt.Errorf("%s: %w", r.method, err)
	}
	req.SetResponseHandler(x.receive)
	tries := r.tries
	if tries == 0 {
		tries = 5
	}
	client := retryablehttp.Client{
		HTTPClient:     c.http,
		RetryMax:       tries - 1,
		CheckRetry:     x.checkRetry,
		Backoff:        x.backoff,
		PrepareRetry:   x.acquire,
		RequestLogHook: x.sending,
		ErrorHandler:   x.giveUp,
	}
	_, err = client.Do(req)
	var answered *Error
	if err == nil || errors.As(err, &answered) { // the method's name is in it
		return x.answer, err
	}
	if x.lastFailure != "" && errors.Is(ctx.Err(), context.DeadlineExceeded) { // the cause, not only that it took too long
		err = fmt.Errorf("%w, after %s", err, x.lastFailure)
	}
	return x.answer, fmt.Errorf("%s: %w", r.method, err)
}

func newRequest(ctx context.Context, r request, visa string) (*retryablehttp.Request, error) {
	body := map[string]any{"jsonrpc": "2.0", "id": "1", "method": r.method, "params": r.params}
	if r.auth == authVisa && visa != "" {
		body["visa"] = visa
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	verb, content := http.MethodPost, any(text)
	if r.auth == authGet {
		verb, content = http.MethodGet, nil
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, verb, r.url, content)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "covebridge")
	if r.auth == authBearer || r.auth == authGet {
		req.Header.Set("Authorization", "Bearer "+visa)
	}
	return req, nil
}

// exchange is one call through all its tries; its methods are what
// retryablehttp asks on the way.
type exchange struct {
	request
	c           *Client
	ctx         context.Context
	decode      func(*decoder) error
	host        string
	answer      reply
	hasSlot     bool
	timeouts    int    // tries that ended by waiting in vain
	replied     bool   // a reply to the present try
	lastFailure string // what the last try failed with that was not broken off
}

// acquire waits for the host's turn and for a slot.
func (x *exchange) acquire(*http.Request) error {
	err := x.c.hostLimits.awaitSlot(x.ctx, x.host, x.c.slots)
	x.hasSlot = err == nil
	return err
}

// release gives the slot to others.
func (x *exchange) release() {
	if x.hasSlot {
		x.c.slots.Release(1)
	}
	x.hasSlot = false
}

func (x *exchange) sending(retryablehttp.Logger, *http.Request, int) {
	x.answer.sent, x.replied = x.c.Now(), false
}

// receive reads a reply.
func (x *exchange) receive(resp *http.Response) error {
	defer drain(resp.Body)
	visa, err := x.c.read(resp, x.request, x.decode)
	x.answer.visa, x.answer.serverTime = visa, x.c.serverTime(resp, x.answer.sent)
	x.replied = true
	x.observe(resp.StatusCode, err)
	return err
}

// observe tells what a try came to; status 0: there was no reply.
func (x *exchange) observe(status int, err error) {
	var answered *Error
	outcome := "broken"
	switch {
	case err != nil && x.ctx.Err() != nil:
		return
	case err == nil:
		outcome = "ok"
	case status == http.StatusTooManyRequests:
		outcome = "throttled"
	case errors.As(err, &answered):
		outcome = "error"
	case status == 0:
		outcome = "unreachable"
	}
	x.c.Observe(x.host, x.method, outcome)
}

// checkRetry tells whether another try makes sense. One that waited in vain is made
// twice at most: each takes half a minute or two, and others wait behind it.
func (x *exchange) checkRetry(ctx context.Context, _ *http.Response, err error) (bool, error) {
	if err != nil && !x.replied {
		x.observe(0, err)
	}
	if err != nil && ctx.Err() == nil {
		x.lastFailure = err.Error()
	}
	if errors.Is(err, errStalled) || errors.Is(err, errCallTimeout) {
		x.timeouts++
	}
	if x.timeouts >= maxTimeouts && ctx.Err() == nil {
		return false, nil
	}
	return retryable(ctx, err)
}

// backoff gives the slot to others while the call waits for its next try.
func (x *exchange) backoff(_, _ time.Duration, try int, resp *http.Response) time.Duration {
	x.release()
	return retryDelay(try, resp)
}

// giveUp words the error of a call that is given up.
func (x *exchange) giveUp(_ *http.Response, err error, tries int) (*http.Response, error) {
	var answered *Error
	if tries > 1 && x.ctx.Err() == nil && !errors.As(err, &answered) {
		err = fmt.Errorf("%w (tried %d times)", err, tries)
	}
	return nil, err
}

// serverTime is Cove's clock before it worked on the call.
func (c *Client) serverTime(resp *http.Response, sent time.Time) time.Time {
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return sent
	}
	return date.Add(-max(c.Now().Sub(sent), 0) - time.Second)
}
