package covesim

import (
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"
)

func TestLogin(t *testing.T) {
	for _, test := range []struct {
		name, partner, user, password, given string
		number                               int
	}{
		{"without partner", "Acme Ltd (admin@acme.com)", "api-user", "covesim", "", 0},
		{"with partner", "Acme Ltd (admin@acme.com)", "api-user", "covesim", "Acme Ltd (admin@acme.com)", 0},
		{"partner without its mail address", "Acme Ltd (admin@acme.com)", "api-user", "covesim", "Acme Ltd", 2100},
		{"any partner where none is set", "", "api-user", "covesim", "whoever", 0},
		{"wrong password", "", "api-user", "wrong", "", 2100},
		{"wrong user", "", "nobody", "covesim", "", 2100},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := start(t, Options{Partner: test.partner, Devices: 1})
			r := p.login(test.user, test.password, test.given)
			if r.number() != test.number {
				t.Fatalf("error %+v, want number %d", r.Error, test.number)
			}
			if test.number != 0 {
				if r.Visa != "" {
					t.Error("a refused login carries a visa")
				}
				return
			}
			if !regexp.MustCompile(`^\d+-\d+-1-1795424400-[0-9A-F]{64}$`).MatchString(r.Visa) {
				t.Errorf("visa %q", r.Visa)
			}
			var user struct {
				Id, PartnerId int64
				Name          string
				Flags         []string
			}
			if read(t, r, &user); user.Name != "api-user" || user.PartnerId != rootID || len(user.Flags) != 2 || r.ID != "1" {
				t.Errorf("user %+v, reply %v", user, r.ID)
			}
		})
	}
}

func TestBadLoginsLockTheUser(t *testing.T) {
	p := start(t, Options{Devices: 1})
	for range badLogins {
		p.login("api-user", "wrong", "")
	}
	if r := p.login("api-user", "covesim", ""); r.number() != 2100 {
		t.Fatalf("locked user got %+v", r.Error)
	}
	p.Advance(lockedFor)
	if r := p.login("api-user", "covesim", ""); r.Error != nil {
		t.Errorf("after the lock: %+v", r.Error)
	}
}

func TestLoginsAtOnce(t *testing.T) {
	p := start(t, Options{Devices: 1})
	p.busy(t, loginsAtOnce)
	if r := p.login("api-user", "covesim", ""); r.number() != 14409 {
		t.Errorf("one login too many got %+v", r.Error)
	}
	p.busy(t, -loginsAtOnce)
	var all sync.WaitGroup
	for range loginsAtOnce {
		all.Go(func() {
			if r := p.login("api-user", "covesim", ""); r.Error != nil {
				t.Errorf("as many as may: %+v", r.Error)
			}
		})
	}
	all.Wait()
}

// busy pretends that so many more logins are under way.
func (p *plain) busy(t *testing.T, n int) {
	t.Helper()
	p.Sim.login.mu.Lock()
	defer p.Sim.login.mu.Unlock()
	p.Sim.login.active += n
}

func TestVisaAges(t *testing.T) {
	p := start(t, Options{Devices: 1})
	count := func() int {
		return p.call("EnumerateAccountStatistics", object{"query": object{"PartnerId": rootID}}).number()
	}
	if n := count(); n != 0 {
		t.Fatalf("fresh visa: %d", n)
	}
	first := p.visa
	p.Advance(14 * time.Minute)
	if n := count(); n != 0 || p.visa == first {
		t.Errorf("after 14 minutes: error %d, visa replaced: %v", n, p.visa != first)
	}
	second := p.visa
	p.visa = first
	if n := count(); n != 0 {
		t.Errorf("the older visa is refused before it aged: %d", n)
	}
	p.Advance(time.Minute)
	p.visa = first
	if n := count(); n != 1701 {
		t.Errorf("after 15 minutes: %d, want 1701", n)
	}
	p.visa = second
	if n := count(); n != 0 {
		t.Errorf("the chained visa: %d", n)
	}
	p.ExpireVisas()
	if n := count(); n != 1701 {
		t.Errorf("after ExpireVisas: %d, want 1701", n)
	}
}

func TestVisaInItsPlace(t *testing.T) {
	p := start(t, Options{Devices: 1})
	visa := p.login("api-user", "covesim", "").Visa
	for name, body := range map[string]object{
		"missing":   {"method": "EnumeratePartners", "params": object{"parentPartnerId": rootID}},
		"forged":    {"visa": visa[:len(visa)-1] + "x", "method": "EnumeratePartners", "params": object{"parentPartnerId": rootID}},
		"nonsense":  {"visa": "-", "method": "EnumeratePartners", "params": object{"parentPartnerId": rootID}},
		"in params": {"visa": visa, "method": "EnumeratePartners", "params": object{"parentPartnerId": rootID, "visa": visa}},
	} {
		if r := p.post("/jsonapi", nil, body); r.number() != 1701 {
			t.Errorf("%s: %+v, want 1701", name, r.Error)
		}
	}
	body := object{"visa": visa, "method": "EnumerateSessions", "params": object{}}
	if r := p.post("/reporting_api", http.Header{"Authorization": {"Bearer " + visa}}, body); r.number() != 1701 {
		t.Errorf("visa in the body of a reporting call: %+v", r.Error)
	}
}

func TestErrorNumbersStandInEitherPlace(t *testing.T) {
	p := start(t, Options{Devices: 1})
	inData, inCode := 0, 0
	for range 6 {
		r := p.post("/jsonapi", nil, object{"method": "EnumeratePartners"})
		if r.Error.Data == 1701 && r.Error.Code == -32603 {
			inData++
		} else if r.Error.Code == 1701 {
			inCode++
		}
	}
	if inData != 4 || inCode != 2 {
		t.Errorf("%d in data, %d in code", inData, inCode)
	}
}

func TestUnknownCalls(t *testing.T) {
	p := start(t, Options{Devices: 1})
	if r := p.call("NoSuchMethod", object{}); r.number() != -32601 {
		t.Errorf("unknown method: %+v", r.Error)
	}
	if r := p.call("EnumerateAccounts", object{}); r.number() != 13501 {
		t.Errorf("EnumerateAccounts: %+v", r.Error)
	}
	if r, err := p.try("/jsonapi", nil, []byte(`{"id":`)); err != nil || r.number() != -32700 {
		t.Errorf("half a call: %+v, %v", r.Error, err)
	}
	if p.Calls("NoSuchMethod") != 1 {
		t.Errorf("counted %d calls", p.Calls("NoSuchMethod"))
	}
}

func TestDateIsTheSimulatorsClock(t *testing.T) {
	p := start(t, Options{Devices: 1})
	p.Advance(36 * time.Hour)
	if r := p.call("EnumerateColumns", nil); r.date != "Tue, 24 Nov 2026 21:00:00 GMT" {
		t.Errorf("Date %q", r.date)
	}
	fast := New(Options{Devices: 1, Start: monday, Speed: 1e6})
	for a := fast.Now(); !fast.Now().After(a); {
	}
}
