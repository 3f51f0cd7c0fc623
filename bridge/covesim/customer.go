package covesim

import (
	"fmt"
	"slices"
)

// customer is what Cove calls a partner.
type customer struct {
	id       int64
	name     string
	level    string
	code     string // reference of the provider's own
	parent   *customer
	children []*customer
}

// rootID is the login's own customer, as in the Cove API document's example.
const rootID = 139124

// addCustomers plants the tree: the provider, resellers, end customers (below
// a reseller or not), and sites below some of these.
func (f *fleet) addCustomers() {
	r := throw(f.options.Seed, 5)
	name := f.options.Partner
	if name == "" {
		name = "Noordzee IT (beheer@noordzee.example)"
	}
	root := f.addCustomer(nil, "ServiceOrganization", name)
	parents := []*customer{root}
	for _, name := range resellers {
		parents = append(parents, f.addCustomer(root, "Reseller", name))
	}
	for i := range f.options.Devices/8 + 3 {
		name := companies[i%len(companies)]
		if i >= len(companies) {
			name += fmt.Sprintf(" %d", i/len(companies)+1)
		}
		c := f.addCustomer(parents[i%len(parents)], "EndCustomer", name)
		if i%3 == 1 {
			f.addCustomer(c, "Site", pick(&r, sites))
			f.addCustomer(c, "Site", pick(&r, sites)+" "+r.text(2))
		}
	}
}

func (f *fleet) addCustomer(parent *customer, level, name string) *customer {
	c := &customer{id: rootID + 7*int64(len(f.customers)), name: name, level: level, parent: parent}
	if len(f.customers)%2 == 1 {
		c.code = fmt.Sprintf("K%05d", c.id%100_000)
	}
	if parent != nil {
		parent.children = append(parent.children, c)
	}
	f.customers = append(f.customers, c)
	return c
}

// homes are the customers that devices hang on.
func (f *fleet) homes() []*customer {
	return slices.DeleteFunc(slices.Clone(f.customers), func(c *customer) bool {
		return c.level != "EndCustomer" && c.level != "Site"
	})
}

// find gives nil where there is no such customer.
func (f *fleet) find(id int64) *customer {
	i := slices.IndexFunc(f.customers, func(c *customer) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	return f.customers[i]
}

// within tells whether c is top or below it.
func (c *customer) within(top *customer) bool {
	for ; c != nil; c = c.parent {
		if c == top {
			return true
		}
	}
	return false
}
