package cove

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

func TestTree(t *testing.T) {
	now := testNow
	name, broken := "Acme BV", false
	ids := []int{1}
	statistics := pager(&ids, func(int) string { return `{"AccountId":1,"PartnerId":57,"Settings":[]}` })
	f := &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
		if h.Method != "EnumeratePartners" {
			return statistics(w, h)
		}
		if broken {
			return `{"error":{"code":-32603,"message":"busy"}}`
		}
		return strings.ReplaceAll(recorded(t, "partners.json"), "Acme BV", name)
	}}
	c := f.client(func(o *Options) { o.Now = func() time.Time { return now } })
	path := func() string {
		d := all(t, c, backup.Selection{})[0].Device
		if d.Customer != "Acme Amsterdam" || d.CustomerID != "57" {
			t.Errorf("customer %s %s", d.Customer, d.CustomerID)
		}
		return strings.Join(d.CustomerPath, "/")
	}
	for i, want := range []string{"Acme BV", "Acme BV", "Acme NV", "Acme NV", "Acme NV"} {
		if got := path(); got != "Resellers North/"+want+"/Acme Amsterdam" {
			t.Errorf("%d: path %s", i, got)
		}
		name = "Acme NV"
		now = now.Add(treeAge / 2)
		broken = i == 3
	}
	p := f.callsOf("EnumeratePartners")
	if len(p) != 3 || p[0].Params["parentPartnerId"] != 139124.0 || p[0].Params["fetchRecursively"] != true {
		t.Errorf("asked %+v", p)
	}
	if loop := c.customers.tree.path(60); len(loop) != maxLevels {
		t.Errorf("a loop is %d levels deep", len(loop))
	}
	if none := c.customers.tree.path(12345); none != nil {
		t.Errorf("path %v of nobody", none)
	}
}

// A user who may not list customers does without, and hears of it once.
func TestTreeRefused(t *testing.T) {
	ids := []int{1}
	statistics := pager(&ids, func(int) string { return `{"AccountId":1,"PartnerId":57,"Settings":[{"I8":"Acme"}]}` })
	f := &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
		if h.Method == "EnumeratePartners" {
			return recorded(t, "error-security.json")
		}
		return statistics(w, h)
	}}
	var said notices
	c := f.client(func(o *Options) { o.Notice = said.add })
	for range 3 {
		if d := all(t, c, backup.Selection{})[0].Device; d.Customer != "Acme" || d.CustomerPath != nil {
			t.Errorf("%+v", d)
		}
	}
	if len(said.list()) != 1 || len(f.callsOf("EnumeratePartners")) != 1 {
		t.Errorf("said %q", said.list())
	}
}
