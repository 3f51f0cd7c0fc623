package covesim

import "strings"

type accountParams struct{ AccountID int64 }

// accountInfo answers GetAccountInfoById. The home node stands beside the
// inner result, its host with a port and in capitals at times.
func (s *Sim) accountInfo(c *call) (any, error) {
	d, err := s.account(c)
	if err != nil {
		return nil, err
	}
	host := d.host + ":443"
	if d.index%4 == 1 {
		host = strings.ToUpper(d.host)
	}
	return object{
		"result": object{
			"Id": d.id, "Name": d.name, "Token": d.token, "PartnerId": d.customer.id,
			"CreationTime": d.created.Unix(), "Type": d.accountType(),
		},
		"homeNodeInfo": object{"CommonInfo": object{"Host": host, "Id": d.index%len(nodes) + 1, "IsEnabled": true}},
	}, nil
}

// endpoints answers EnumerateAccountRemoteAccessEndpoints.
func (s *Sim) endpoints(c *call) (any, error) {
	d, err := s.account(c)
	if err != nil {
		return nil, err
	}
	return inner([]object{{"WebRcgUrl": "https://" + d.host + "/rcg/", "Status": "Offline"}}), nil
}

func (s *Sim) account(c *call) (*device, error) {
	p, err := params[accountParams](c)
	if err != nil {
		return nil, err
	}
	d := s.fleet.byID[p.AccountID]
	if d == nil {
		return nil, errDenied
	}
	return d, nil
}

// accountType is the column AT.
func (d *device) accountType() int {
	if d.kind == tenant {
		return 2
	}
	return 1
}
