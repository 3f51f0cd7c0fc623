package cove

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// nodeRest is how long a node is left alone after a call to it failed slowly,
// so that its other devices don't wait for the same.
const (
	nodeCooldown = 30 * time.Second
	slowFailure  = 3 * time.Second
)

// downNodes remembers nodes that did not answer.
type downNodes struct {
	mu    sync.Mutex
	byURL map[string]downNode
}

type downNode struct {
	since time.Time
	err   error
}

// check gives the error of a call to the node that failed a moment ago.
func (n *downNodes) check(url string, now time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	d, ok := n.byURL[url]
	if age := now.Sub(d.since); !ok || age < 0 || age >= nodeCooldown {
		delete(n.byURL, url)
		return nil
	}
	return fmt.Errorf("the storage node failed a moment ago: %w", d.err)
}

// add remembers a call that got no answer and took its time over it.
func (n *downNodes) add(url string, began, now time.Time, err error) {
	var answered *Error
	if errors.As(err, &answered) || now.Sub(began) < slowFailure {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.byURL == nil {
		n.byURL = map[string]downNode{}
	}
	n.byURL[url] = downNode{now, err}
}

// atNode calls a method of the device's node for so many rows. No visa goes
// there: the node takes the device's token, and it may be somebody else's
// machine.
func (c *Client) atNode(ctx context.Context, a account, method string, params map[string]any, rows int, decode func(*decoder) error) (reply, error) {
	url := c.nodeURL(a.host)
	if err := c.downNodes.check(url, c.Now()); err != nil {
		return reply{}, err
	}
	params["accountId"], params["account"], params["token"] = a.id, a.name, a.token
	began := c.Now()
	answer, err := c.send(ctx, request{url: url, method: method, params: params, auth: authParams, tries: 2, rows: rows}, "", decode)
	if err != nil && ctx.Err() == nil {
		c.downNodes.add(url, began, c.Now(), err)
		if !ownNode(a.host) && c.NodeURL == "" {
			err = fmt.Errorf("self-hosted node %s: %w", a.host, err)
		}
	}
	return answer, err
}
