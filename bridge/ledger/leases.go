package ledger

import (
	"context"
	"time"
)

// Lease asks for the named piece of work for this long and tells whether it is
// this bridge's. Asking again renews it. Without an answer in time a bridge has
// to take it for lost. A lease that ends later than any can was taken while the
// clock was ahead, and is over.
func (l *Ledger) Lease(ctx context.Context, name string, ttl time.Duration) (got bool, err error) {
	err = l.write(ctx, "lease "+name, func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		n, err := t.exec(`INSERT INTO leases (name, owner, lease_until) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
			WHERE leases.owner = excluded.owner OR leases.lease_until <= $4 OR leases.lease_until > $5`,
			name, l.owner, now+ttl.Microseconds(), now, now+2*ttl.Microseconds())
		got = n == 1
		return err
	})
	return got && err == nil, err
}

// Unlease gives the named piece of work free, if it is this bridge's.
func (l *Ledger) Unlease(ctx context.Context, name string) error {
	return l.write(ctx, "give free "+name, func(t transaction) error {
		_, err := t.exec("DELETE FROM leases WHERE name = $1 AND owner = $2", name, l.owner)
		return err
	})
}
