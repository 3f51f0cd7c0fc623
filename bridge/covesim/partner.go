package covesim

// row is how Cove tells of a customer.
func (c *customer) row() object {
	o := object{"Id": c.id, "Name": c.name, "Level": c.level, "ExternalCode": c.code, "State": "InProduction", "ParentId": 1}
	if c.parent != nil {
		o["ParentId"] = c.parent.id
	}
	return o
}

// partnerInfo answers GetPartnerInfo; the name must be exact.
func (s *Sim) partnerInfo(c *call) (any, error) {
	p, err := params[struct{ Name string }](c)
	if err != nil {
		return nil, err
	}
	for _, c := range s.fleet.customers {
		if c.name == p.Name {
			return inner(c.row()), nil
		}
	}
	return nil, errDenied
}

// partners answers EnumeratePartners: all below the parent, without itself.
func (s *Sim) partners(c *call) (any, error) {
	p, err := params[struct {
		ParentPartnerID  int64
		FetchRecursively bool
	}](c)
	if err != nil {
		return nil, err
	}
	parent := s.fleet.find(p.ParentPartnerID)
	if parent == nil {
		return nil, errDenied
	}
	rows := []object{}
	for _, c := range s.fleet.customers {
		if c.parent == parent || p.FetchRecursively && c != parent && c.within(parent) {
			rows = append(rows, c.row())
		}
	}
	return inner(rows), nil
}

// childPartners answers EnumerateChildPartners: a tree.
func (s *Sim) childPartners(c *call) (any, error) {
	p, err := params[struct{ PartnerID int64 }](c)
	if err != nil {
		return nil, err
	}
	top := s.fleet.find(p.PartnerID)
	if top == nil {
		return nil, errDenied
	}
	return inner(top.tree()), nil
}

func (c *customer) tree() object {
	children := []object{}
	for _, child := range c.children {
		children = append(children, child.tree())
	}
	return object{"ActualChildCount": len(children), "Children": children, "Info": c.row()}
}
