package covesim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func (p *plain) steer(method, path string, into any) int {
	p.t.Helper()
	request, err := http.NewRequest(method, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			p.t.Fatalf("%s: %s: %v", path, body, err)
		}
	}
	return response.StatusCode
}

func TestSteeringOverHTTP(t *testing.T) {
	p := start(t, Options{Devices: 5})
	var now time.Time
	if p.steer("POST", "/sim/advance?by=24h", &now); !now.Equal(monday.Add(day)) {
		t.Errorf("now %v", now)
	}
	var all, ended []Session
	p.steer("GET", "/sim/truth", &all)
	p.steer("GET", "/sim/truth?since="+monday.Format(time.RFC3339), &ended)
	if len(all) != len(p.Truth()) || len(ended) != len(p.Ended(monday, p.Now())) || len(ended) == 0 || len(ended) >= len(all) {
		t.Errorf("%d sessions, %d since Monday", len(all), len(ended))
	}
	var fleet []Device
	if p.steer("GET", "/sim/devices", &fleet); len(fleet) != 5 {
		t.Errorf("%d devices", len(fleet))
	}
	p.steer("POST", "/sim/fault?kind=denied&method=EnumerateColumns&count=1", nil)
	if r := p.call("EnumerateColumns", nil); r.number() != 13501 {
		t.Errorf("fault: %+v", r.Error)
	}
	if r := p.call("EnumerateColumns", nil); r.Error != nil {
		t.Errorf("after the fault: %+v", r.Error)
	}
	p.steer("POST", "/sim/fault?kind=broken", nil)
	p.steer("POST", "/sim/clear", nil)
	p.steer("POST", "/sim/expire", nil)
	if r := p.call("EnumerateColumns", nil); r.number() != 1701 {
		t.Errorf("expired: %+v", r.Error)
	}
	p.steer("POST", fmt.Sprintf("/sim/rename?customer=%d&name=%s", fleet[0].CustomerID, url.QueryEscape("Nieuw & anders")), nil)
	p.steer("POST", fmt.Sprintf("/sim/move?device=%d&customer=%d", fleet[4].ID, fleet[0].CustomerID), nil)
	if d := p.Devices()[4]; d.Customer != "Nieuw & anders" || d.CustomerID != fleet[0].CustomerID {
		t.Errorf("moved to the renamed customer: %+v", d)
	}
}

func TestWrongSteering(t *testing.T) {
	p := start(t, Options{Devices: 1})
	for _, path := range []string{
		"/sim/advance?by=tomorrow", "/sim/fault?kind=flood", "/sim/fault?kind=slow&delay=long", "/sim/fault?kind=slow&count=x",
		"/sim/rename?customer=1&name=x", "/sim/move?device=1&customer=1",
	} {
		if status := p.steer("POST", path, nil); status != http.StatusBadRequest {
			t.Errorf("%s: status %d", path, status)
		}
	}
	if status := p.steer("GET", "/sim/truth?since=yesterday", nil); status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
}

func TestReadFault(t *testing.T) {
	q, err := url.ParseQuery("kind=slow&method=Login&device=7&host=h&columns=I0,F0&count=2&probability=0.5&delay=3s&size=9")
	if err != nil {
		t.Fatal(err)
	}
	f, err := readFault(q)
	want := Fault{Slow, "Login", 7, "h", []string{"I0", "F0"}, 2, 0.5, 3 * time.Second, 9}
	if err != nil || fmt.Sprint(f) != fmt.Sprint(want) || strings.Join(f.Columns, " ") != "I0 F0" {
		t.Errorf("%+v, %v, want %+v", f, err, want)
	}
}
