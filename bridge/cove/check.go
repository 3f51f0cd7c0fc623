package cove

import (
	"context"
	"errors"
	"fmt"

	"covebridge/bridge/backup"
)

// checkPage is how many devices one call counts.
const checkPage = 1000

// Check logs in, reads one device with all columns and counts the others. It
// tells in a sentence what it found; its errors say what to do.
func (c *Client) Check(ctx context.Context) (string, error) {
	if _, err := c.visa(ctx, ""); err != nil {
		return "", c.advise(err)
	}
	partner, err := c.partner(ctx)
	if err != nil {
		return "", c.advise(err)
	}
	if _, err := c.page(ctx, pageQuery{count: 1}); err != nil {
		return "", c.advise(err)
	}
	seen := map[string]bool{}
	for start := int64(0); ; {
		p, err := c.page(ctx, pageQuery{columns: []string{colID}, start: start, count: checkPage})
		if err != nil {
			return "", c.advise(err)
		}
		known := len(seen)
		for _, r := range p.rows {
			seen[r.id] = true
		}
		start += int64(len(p.rows))
		if len(seen) == known || len(p.rows) < checkPage && start >= p.total {
			break
		}
	}
	found := fmt.Sprintf("%d devices", len(seen))
	switch len(seen) {
	case 0:
		found = "no devices: check partner_id, for Cove does not say when it is wrong"
	case 1:
		found = "1 device"
	}
	return fmt.Sprintf("%s: logged in as %s (partner %d), %s", c.Name(), c.quote(c.Username), partner, found), nil
}

// advise adds what an administrator can do to an error that does not say.
func (c *Client) advise(err error) error {
	var answered *Error
	switch {
	case errors.Is(err, backup.ErrRefused), errors.Is(err, context.Canceled), errors.Is(err, errRedirect), errors.Is(err, errTooBig):
		return fmt.Errorf("%s: %w", c.Name(), err)
	case number(err, errLogins):
		return fmt.Errorf("%s: %w: too many logins at this time: wait some minutes, and look for other programs that use this login", c.Name(), err)
	case errors.As(err, &answered):
		return fmt.Errorf("%s: %w: check url, partner_id and the user's role in Cove", c.Name(), err)
	}
	return fmt.Errorf("%s: %w: check url, the network, and the proxy if there is one", c.Name(), err)
}
