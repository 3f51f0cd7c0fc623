package covesim

import "testing"

type partnerRow struct {
	Id, ParentId              int64
	Name, Level, ExternalCode string
}

func TestPartners(t *testing.T) {
	p := start(t, Options{})
	ask := func(parent int64, deep bool) (rows []partnerRow) {
		read(t, p.call("EnumeratePartners", object{
			"parentPartnerId": parent, "fetchRecursively": deep, "fields": []int{0, 1, 3, 4, 5, 8, 9, 10, 18, 20}}), &rows)
		return rows
	}
	all := ask(rootID, true)
	if len(all) != len(p.fleet.customers)-1 {
		t.Errorf("%d customers, want all %d but the root", len(all), len(p.fleet.customers))
	}
	levels, children := map[string]int{}, 0
	for _, r := range all {
		levels[r.Level]++
		if r.ParentId == rootID {
			children++
		}
	}
	for _, level := range []string{"Reseller", "EndCustomer", "Site"} {
		if levels[level] == 0 {
			t.Errorf("no %s among %v", level, levels)
		}
	}
	if got := ask(rootID, false); len(got) != children {
		t.Errorf("%d right below the root, want %d", len(got), children)
	}
	if r := p.call("EnumeratePartners", object{"parentPartnerId": 1}); r.number() != 13501 {
		t.Errorf("below nobody: %+v", r.Error)
	}
}

func TestPartnerInfoIsCaseSensitive(t *testing.T) {
	p := start(t, Options{Partner: "Acme Ltd (admin@acme.com)"})
	var row partnerRow
	read(t, p.call("GetPartnerInfo", object{"name": "Acme Ltd (admin@acme.com)"}), &row)
	if row.Id != rootID || row.Level != "ServiceOrganization" {
		t.Errorf("info %+v", row)
	}
	if r := p.call("GetPartnerInfo", object{"name": "acme ltd (admin@acme.com)"}); r.Error == nil {
		t.Error("found in another case")
	}
}

func TestChildPartners(t *testing.T) {
	type node struct {
		ActualChildCount int
		Children         []node
		Info             partnerRow
	}
	p := start(t, Options{})
	var tree node
	read(t, p.call("EnumerateChildPartners", object{"partnerId": rootID}), &tree)
	var count func(node) int
	count = func(n node) int {
		sum := 1
		for _, c := range n.Children {
			if c.Info.ParentId != n.Info.Id {
				t.Errorf("%+v below %+v", c.Info, n.Info)
			}
			sum += count(c)
		}
		return sum
	}
	if n := count(tree); n != len(p.fleet.customers) || tree.ActualChildCount != len(tree.Children) {
		t.Errorf("%d in the tree, want %d", n, len(p.fleet.customers))
	}
}

func TestRenamedAndMoved(t *testing.T) {
	p := start(t, Options{})
	d := p.Devices()[0]
	if err := p.RenameCustomer(d.CustomerID, "Nieuwe naam"); err != nil {
		t.Fatal(err)
	}
	look := func() row {
		rows, _ := p.statistics(object{"Columns": []string{"I8"}})
		return rows[0]
	}
	if r := look(); r.setting("I8") != "Nieuwe naam" && r.setting("AR") != "Nieuwe naam" {
		t.Errorf("renamed: %+v", r)
	}
	if err := p.MoveDevice(d.ID, rootID+7); err != nil {
		t.Fatal(err)
	}
	if r := look(); r.AccountId != d.ID || r.PartnerId != rootID+7 {
		t.Errorf("moved: %+v", r)
	}
	if p.RenameCustomer(1, "x") == nil || p.MoveDevice(1, rootID) == nil || p.MoveDevice(d.ID, 1) == nil {
		t.Error("what is not there was renamed or moved")
	}
}
