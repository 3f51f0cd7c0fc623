package cove

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/semaphore"
)

// treeAge is how old the tree of customers may be: they are renamed at times.
const treeAge = time.Hour

// maxCustomers is how many customers are read; those beyond have no path.
const maxCustomers = 50_000

// maxLevels bounds the way up; Cove has seven levels.
const maxLevels = 20

// customers holds the tree of customers as it was last read.
type customers struct {
	lock    *semaphore.Weighted // guards what follows
	tree    *tree
	read    time.Time
	refused bool
}

// tree is customers by their numbers. A nil tree knows none.
type tree map[int64]struct {
	name   string
	parent int64
}

// path gives the names from the top to the customer; nil where it is not known.
func (t *tree) path(id int64) (names []string) {
	if t == nil {
		return nil
	}
	for range maxLevels {
		p, ok := (*t)[id]
		if !ok {
			break
		}
		names = append(names, p.name)
		if id = p.parent; id == 0 {
			break
		}
	}
	slices.Reverse(names)
	return names
}

// tree gives the customers, read anew each hour. Where they can't be read the
// last known do, or none: a customer's path is a nicety.
func (c *Client) tree(ctx context.Context) *tree {
	if c.customers.lock.Acquire(ctx, 1) != nil {
		return nil
	}
	defer c.customers.lock.Release(1)
	now := c.Now()
	age := now.Sub(c.customers.read)
	if c.customers.refused || c.customers.tree != nil && age >= 0 && age < treeAge {
		return c.customers.tree
	}
	t, err := c.readTree(ctx)
	switch {
	case err == nil:
		c.customers.tree, c.customers.read = t, now
	case hasErrorNumber(err, errSecurity):
		c.customers.refused = true
		c.noticeOnce("customers", "this user may not list customers; mails name the customer, but not those above it", "err", err)
	case ctx.Err() == nil && c.customers.tree != nil:
		c.customers.read = now.Add(-treeAge + time.Minute) // not at every poll
	}
	return c.customers.tree
}

func (c *Client) readTree(ctx context.Context) (*tree, error) {
	partner, err := c.partner(ctx)
	if err != nil {
		return nil, err
	}
	var t tree
	_, err = c.call(ctx, request{url: c.URL, method: "EnumeratePartners", tries: 2, rows: maxCustomers, params: map[string]any{
		"parentPartnerId": partner, "fetchRecursively": true, "fields": []int{0, 1, 3, 4, 5, 8, 9, 10, 18, 20},
	}}, func(dec *decoder) error {
		t = tree{}
		return t.decode(dec)
	})
	return &t, err
}

func (t tree) decode(dec *decoder) error {
	return dec.rows(maxCustomers, func(raw jsontext.Value) error {
		var r row
		if err := json.Unmarshal(raw, &r); err != nil {
			return err
		}
		id, ok := r.get("id").number()
		if ok && id > 0 {
			p := t[id]
			p.name = r.get("name").text
			p.parent, _ = r.get("parentid").number()
			t[id] = p
		}
		return nil
	}, nil)
}
