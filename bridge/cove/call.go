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

// proof says what a call proves its right with.
type proof int

const (
	byVisa   proof = iota // the visa stands in the body, beside params
	byBearer              // the visa stands in the header Authorization, not in the body
	byParams              // params hold what it takes, and no visa is sent
)

// request is one call of a method.
type request struct {
	url    string
	method string
	params any
	proof  proof
	tries  int // 0: five
}

// reply is what came with a call's result.
type reply struct {
	visa string
	// at is Cove's clock before it read the data: the reply's Date, less the
	// time the call took, less a second, for Date has whole seconds only.
	at   time.Time
	sent time.Time // by our clock
}

// call makes a call, with a visa where it takes one, and once again with a new
// visa where Cove says that it is not good. decode is given the result; it may
// be called several times, and each call begins anew.
func (c *Client) call(ctx context.Context, r request, decode func(*json.Decoder) error) (reply, error) {
	if r.proof == byParams {
		return c.send(ctx, r, "", decode)
	}
	visa, err := c.visa(ctx, "")
	if err != nil {
		return reply{}, err
	}
	answer, err := c.send(ctx, r, visa, decode)
	if deadVisa(err) {
		if visa, err = c.visa(ctx, visa); err != nil {
			return reply{}, err
		}
		answer, err = c.send(ctx, r, visa, decode)
	}
	// A reply that says the visa is dead carries none that is worth keeping.
	if answer.visa != "" && !deadVisa(err) {
		c.visas.keep(c, answer.visa, answer.sent)
	}
	return answer, err
}

// send makes one call, and tries again where that may help.
func (c *Client) send(ctx context.Context, r request, visa string, decode func(*json.Decoder) error) (reply, error) {
	body := map[string]any{"jsonrpc": "2.0", "id": "1", "method": r.method, "params": r.params}
	if r.proof == byVisa && visa != "" {
		body["visa"] = visa
	}
	text, err := json.Marshal(body)
	if err != nil {
		return reply{}, fmt.Errorf("%s: %w", r.method, err)
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, r.url, text)
	if err != nil {
		return reply{}, fmt.Errorf("%s: %w", r.method, err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "covebridge")
	if r.proof == byBearer {
		req.Header.Set("Authorization", "Bearer "+visa)
	}

	// A call that waits for its next try gives its slot to others.
	var held bool
	take := func() error {
		if err := c.slots.Acquire(ctx, 1); err != nil {
			return err
		}
		held = true
		return c.pace.Wait(ctx)
	}
	leave := func() {
		if held {
			c.slots.Release(1)
		}
		held = false
	}
	defer leave()
	if err := take(); err != nil {
		return reply{}, fmt.Errorf("%s: %w", r.method, err)
	}

	var answer reply
	req.SetResponseHandler(func(resp *http.Response) error {
		defer resp.Body.Close()
		answer.visa, err = c.read(resp, r.method, decode)
		answer.at = c.before(resp, answer.sent)
		return err
	})
	tries := r.tries
	if tries == 0 {
		tries = 5
	}
	client := retryablehttp.Client{
		HTTPClient: c.http,
		RetryMax:   tries - 1,
		CheckRetry: func(ctx context.Context, _ *http.Response, err error) (bool, error) { return again(ctx, err) },
		Backoff: func(lo, hi time.Duration, try int, resp *http.Response) time.Duration {
			leave()
			return wait(lo, hi, try, resp)
		},
		PrepareRetry:   func(*http.Request) error { return take() },
		RequestLogHook: func(retryablehttp.Logger, *http.Request, int) { answer.sent = c.Now() },
		ErrorHandler: func(resp *http.Response, err error, n int) (*http.Response, error) {
			var answered *Error
			if n > 1 && ctx.Err() == nil && !errors.As(err, &answered) {
				err = fmt.Errorf("%w (tried %d times)", err, n)
			}
			return nil, err
		},
	}
	_, err = client.Do(req)
	if _, ok := err.(*Error); err == nil || ok { // the method's name is in it
		return answer, err
	}
	return answer, fmt.Errorf("%s: %w", r.method, err)
}

// before is Cove's clock before it worked on the call.
func (c *Client) before(resp *http.Response, sent time.Time) time.Time {
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return sent
	}
	return date.Add(-max(c.Now().Sub(sent), 0) - time.Second)
}
