package covesim

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw calls a method with a good visa and gives what comes over the wire.
func (p *plain) raw(ctx context.Context, method string, params object) (*http.Response, []byte, error) {
	p.t.Helper()
	text, err := json.Marshal(object{"id": 1, "visa": p.issue(p.Now()), "method": method, "params": params})
	if err != nil {
		p.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(ctx, "POST", p.url+"/jsonapi", strings.NewReader(string(text)))
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, body, err
}

func TestEachFault(t *testing.T) {
	for _, test := range []struct {
		fault Fault
		check func(*http.Response, []byte, error) bool
	}{
		{Fault{Kind: VisaExpired}, rpc(1701)},
		{Fault{Kind: Denied}, rpc(13501)},
		{Fault{Kind: Throttled, Delay: 7 * time.Second}, func(r *http.Response, _ []byte, _ error) bool {
			return r.StatusCode == 429 && r.Header.Get("Retry-After") == "7"
		}},
		{Fault{Kind: Broken}, func(r *http.Response, _ []byte, _ error) bool { return r.StatusCode == 500 }},
		{Fault{Kind: CutOff}, func(_ *http.Response, b []byte, err error) bool { return err != nil && len(b) > 0 }},
		{Fault{Kind: Garbled}, func(r *http.Response, b []byte, err error) bool {
			return r.StatusCode == 200 && err == nil && !json.Valid(b)
		}},
		{Fault{Kind: HTML}, func(r *http.Response, b []byte, err error) bool {
			return r.StatusCode == 200 && strings.Contains(string(b), "<html>")
		}},
		{Fault{Kind: Huge, Size: 1 << 20}, func(_ *http.Response, b []byte, err error) bool { return len(b) > 1<<20 && json.Valid(b) }},
		{Fault{Kind: Unreachable}, func(_ *http.Response, _ []byte, err error) bool { return err != nil }},
	} {
		t.Run(string(test.fault.Kind), func(t *testing.T) {
			p := start(t, Options{Devices: 1, Without: ErrorNumbers})
			test.fault.Count = 1
			p.Fault(test.fault)
			if r, body, err := p.raw(t.Context(), "EnumerateColumns", nil); !test.check(r, body, err) {
				t.Errorf("got %v, %.100s, %v", r, body, err)
			}
			if _, body, err := p.raw(t.Context(), "EnumerateColumns", nil); err != nil || !strings.Contains(string(body), `"result"`) {
				t.Errorf("after it: %.100s, %v", body, err)
			}
		})
	}
}

// rpc checks for an error of Cove's.
func rpc(number int) func(*http.Response, []byte, error) bool {
	return func(_ *http.Response, body []byte, err error) bool {
		var r reply
		return err == nil && json.Unmarshal(body, &r) == nil && r.number() == number
	}
}

func TestSlowReply(t *testing.T) {
	p := start(t, Options{Devices: 1})
	p.Fault(Fault{Kind: Slow, Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := p.raw(ctx, "EnumerateColumns", nil); ctx.Err() == nil || err == nil {
		t.Errorf("a slow reply came at once: %v", err)
	}
	p.ClearFaults()
	p.Fault(Fault{Kind: Slow, Delay: time.Millisecond})
	if _, body, err := p.raw(t.Context(), "EnumerateColumns", nil); err != nil || !json.Valid(body) {
		t.Errorf("a slow reply: %.100s, %v", body, err)
	}
}

func TestLockedLogin(t *testing.T) {
	p := start(t, Options{Devices: 1})
	p.Fault(Fault{Kind: Locked})
	if r := p.login("api-user", "covesim", ""); r.number() != 2100 {
		t.Errorf("locked: %+v", r.Error)
	}
	p.ClearFaults()
	if r := p.login("api-user", "covesim", ""); r.Error != nil {
		t.Errorf("cleared: %+v", r.Error)
	}
}

func TestDeniedColumns(t *testing.T) {
	p := start(t, Options{Devices: 1})
	p.Fault(Fault{Kind: Denied, Columns: []string{"Q0", "D05F08"}})
	for asked, want := range map[string]int{"D03F00": 13501, "D3F0": 13501, "D05F08": 13501, "D01F00": 0} {
		r := p.call("EnumerateAccountStatistics", object{"query": object{"PartnerId": rootID, "Columns": []string{"I0", asked, "I1"}}})
		if r.number() != want {
			t.Errorf("%s: %+v, want %d", asked, r.Error, want)
		}
	}
	if r := p.call("EnumeratePartners", object{"parentPartnerId": rootID}); r.Error != nil {
		t.Errorf("a call without columns: %+v", r.Error)
	}
}

func TestFaultsByMethodDeviceAndHost(t *testing.T) {
	p := start(t, Options{})
	a, b := p.Devices()[0], p.Devices()[3]
	ask := func(d Device) error {
		body, _ := json.Marshal(object{"method": "QuerySessions", "params": object{
			"accountId": d.ID, "account": d.Name, "token": d.Token, "query": "0 != 1", "range": object{"Size": 1}}})
		r, err := p.try("/repserv_json", nil, body)
		if err == nil && r.Error != nil {
			t.Errorf("%s: %+v", d.Name, r.Error)
		}
		return err
	}
	p.Fault(Fault{Kind: Unreachable, Device: a.ID})
	if ask(a) == nil || ask(b) != nil {
		t.Error("a device's fault hits another, or not its own")
	}
	if r := p.call("GetAccountInfoById", object{"accountId": a.ID}); r.Error != nil {
		t.Errorf("a node's fault hits the console: %+v", r.Error)
	}
	p.ClearFaults()
	p.Fault(Fault{Kind: Unreachable, Host: strings.ToUpper(b.Host)})
	if ask(b) == nil || a.Host != b.Host && ask(a) != nil {
		t.Error("a node's fault hits another, or not its own")
	}
	p.ClearFaults()
	p.Fault(Fault{Kind: Unreachable, Method: "QueryErrors"})
	if ask(a) != nil {
		t.Error("a method's fault hits another")
	}
}

func TestFaultsByChance(t *testing.T) {
	p := start(t, Options{Devices: 1})
	p.Fault(Fault{Kind: Denied, Probability: 0.5})
	hits := 0
	for range 100 {
		if p.call("EnumerateColumns", nil).Error != nil {
			hits++
		}
	}
	if hits < 25 || hits > 75 {
		t.Errorf("%d of 100 calls hit at even chances", hits)
	}
}
