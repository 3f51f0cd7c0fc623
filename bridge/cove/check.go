package cove

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"covebridge/bridge/backup"
)

// checkPage is how many devices one call counts.
const checkPage = 1000

// Check logs in, reads one device with all columns and counts the others. It
// tells in a sentence what it found; its errors say what to do. Where ctx's
// deadline ends the counting, what was counted until then is told.
func (c *Client) Check(ctx context.Context) (string, error) {
	if _, err := c.visa(ctx, ""); err != nil {
		return "", c.advise(err)
	}
	partner, err := c.partner(ctx)
	if err != nil {
		return "", c.advise(err)
	}
	var p page
	if err := c.page(ctx, pageQuery{count: 1}, &p); err != nil {
		return "", c.advise(err)
	}
	seen, least := map[int64]bool{}, ""
	for start := int64(0); ; {
		if err := c.page(ctx, pageQuery{columns: []string{colID}, start: start, count: checkPage}, &p); err != nil {
			if errors.Is(ctx.Err(), context.DeadlineExceeded) && len(seen) > 0 {
				least = "at least "
				break
			}
			return "", c.advise(err)
		}
		known := len(seen)
		for _, r := range p.rows {
			seen[r.id] = true
		}
		if len(seen) == known || p.last(start, checkPage) {
			break
		}
		start += int64(len(p.rows))
	}
	found := fmt.Sprintf("%s%d devices", least, len(seen))
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
	var (
		answered  *Error
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		advice    *backup.Advice
	)
	switch {
	case err == nil, errors.As(err, &advice), errors.Is(err, context.Canceled), errors.Is(err, errRedirect), errors.Is(err, errTooLong):
		return err
	case hasErrorNumber(err, errLogins):
		return &backup.Advice{Err: err, Remedy: "too many logins at this time: wait some minutes, and look for other programs that use this login"}
	case errors.As(err, &answered):
		return &backup.Advice{Err: err, Remedy: "check url, partner_id and the user's role in Cove"}
	case errors.As(err, &authority):
		return &backup.Advice{Err: err, Remedy: "if a proxy opens TLS on the way, add its authority to this machine's; else this is not Cove"}
	case errors.As(err, &name):
		return &backup.Advice{Err: err, Remedy: "check url; its host is not the one that answers"}
	case errors.As(err, &invalid):
		return &backup.Advice{Err: err, Remedy: "check this machine's clock, and whether a proxy opens TLS on the way"}
	}
	return &backup.Advice{Err: err, Remedy: "check url, the network, and the proxy if there is one"}
}
