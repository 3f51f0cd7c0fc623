package cove

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/backup"
)

func TestVisaIsRenewedByAge(t *testing.T) {
	now := testNow
	f := &fakeCove{}
	c := f.client(func(o *Options) { o.Now = func() time.Time { return now } })
	ctx := context.Background()
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {9 * time.Minute, 1}, {visaAge, 2}, {time.Minute, 2}, {-time.Hour, 3}} {
		now = now.Add(step.after)
		if _, err := c.Clock(ctx); err != nil || f.logins != step.want {
			t.Errorf("%v later: %d logins, want %d (%v)", step.after, f.logins, step.want, err)
		}
	}
}

// Any reply may bring a fresh visa, even one with an error.
func TestRepliesBringVisas(t *testing.T) {
	now := testNow
	n := 0
	f := &fakeCove{}
	f.answer = func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method != "EnumerateAccountStatistics" {
			return ""
		}
		n++
		switch n {
		case 1:
			return `{"result":{"result":[]},"visa":"fresh-1"}`
		case 2:
			return `{"error":{"code":-32603,"data":99,"message":"busy"},"visa":"fresh-2"}`
		}
		return aPage
	}
	c := f.client(func(o *Options) { o.Now = func() time.Time { return now } })
	for range 3 {
		now = now.Add(7 * time.Minute) // the fresh one is as old as its call
		c.statistics(context.Background(), pageQuery{columns: []string{"I0"}, count: 1}, new(page))
	}
	var visas []string
	for _, h := range f.callsOf("EnumerateAccountStatistics") {
		visas = append(visas, h.Visa)
		if h.Params["visa"] != nil {
			t.Error("the visa stands in params")
		}
	}
	if got := strings.Join(visas, " "); got != testVisa+"1 fresh-1 fresh-2" || f.logins != 1 {
		t.Errorf("visas %s, %d logins", got, f.logins)
	}
}

// The same visa sent again has not become younger.
func TestEchoedVisaAges(t *testing.T) {
	now := testNow
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method == "Login" {
			return ""
		}
		return `{"result":{"result":[]},"visa":"` + testVisa + `1"}`
	}}
	c := f.client(func(o *Options) { o.Now = func() time.Time { return now } })
	for range 3 {
		c.Clock(context.Background())
		now = now.Add(6 * time.Minute)
	}
	if f.logins != 2 {
		t.Errorf("%d logins", f.logins)
	}
}

func TestDeadVisaIsRenewedOnce(t *testing.T) {
	for name, dead := range map[string]string{
		"1701":          `{"error":{"code":-32603,"data":1701,"message":"Visa is inconsistent/corrupted."},"visa":"worthless"}`,
		"as code":       `{"error":{"code":1701,"message":"x"}}`,
		"as text":       `{"error":{"code":-32603,"data":"1701","message":"x"}}`,
		"in an object":  `{"error":{"code":-32603,"data":{"code":1701},"message":"x"}}`,
		"-32001":        `{"error":{"code":-32001,"message":"x"}}`,
		"-32002":        `{"error":{"code":-32603,"data":-32002,"message":"x"}}`,
		"by its words":  `{"error":{"code":-32603,"message":"Your Visa is over"}}`,
		"expired":       `{"error":{"code":1,"message":"Expired"}}`,
		"an error text": `{"error":"Unauthorized"}`,
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
				if h.Method == "EnumerateAccountStatistics" && h.Visa == testVisa+"1" {
					return dead
				}
				return ""
			}}
			if _, err := f.client().Clock(context.Background()); err != nil || f.logins != 2 {
				t.Errorf("%v after %d logins", err, f.logins)
			}
			f = &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
				if h.Method == "Login" {
					return ""
				}
				return dead
			}}
			_, err := f.client().Clock(context.Background())
			if err == nil || f.logins != 2 || len(f.callsOf("EnumerateAccountStatistics")) != 2 {
				t.Errorf("%v after %d logins", err, f.logins)
			}
		})
	}
}

// Many calls that find their visa dead at once log in once.
func TestOneLoginAtATime(t *testing.T) { synctest.Test(t, testOneLoginAtATime) }

func testOneLoginAtATime(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method == "Login" {
			time.Sleep(time.Minute) // all others come meanwhile
		}
		if h.Method != "Login" && h.Visa == testVisa+"1" {
			return recorded(t, "error-visa.json")
		}
		return ""
	}}
	c := f.client(func(o *Options) { o.Concurrency = 8 })
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := c.Clock(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if f.logins != 2 {
		t.Errorf("%d logins", f.logins)
	}
}

func TestRefusedLoginIsFinal(t *testing.T) {
	for _, answer := range []string{
		recorded(t, "login-refused.json"),
		`{"error":{"code":2100,"message":"x"}}`,
		`{"error":{"code":-32603,"data":"2100","message":"Unknown user"}}`,
	} {
		f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string { return answer }}
		c := f.client()
		ctx := context.Background()
		for range 3 {
			_, err := c.Clock(ctx)
			if !errors.Is(err, backup.ErrRefused) || !strings.Contains(err.Error(), "api-user") || !strings.Contains(err.Error(), "mail address included") {
				t.Errorf("%v", err)
			}
			_, err = c.Sessions(ctx, backup.Device{ID: "1"}, testNow, time.Time{})
			if !errors.Is(err, backup.ErrRefused) || errors.Is(err, backup.ErrNoHistory) {
				t.Errorf("%v", err)
			}
		}
		if len(f.calls) != 1 {
			t.Errorf("%d calls", len(f.calls))
		}
	}
}

func TestOtherLoginErrorsAreNotFinal(t *testing.T) {
	answers := []string{
		`{"error":{"code":-32603,"data":5,"message":"Internal error"}}`, `{"result":{"result":{}}}`,
		`{"error":{"code":-32603,"message":"Database is locked"}}`,
		`{"error":{"code":-32603,"message":"The service is temporarily disabled for maintenance"}}`,
		`{"error":{"code":-32603,"data":4711,"message":"The user is blocked, check the password"}}`,
		"",
	}
	f := &fakeCove{}
	f.answer = func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method == "Login" {
			return answers[f.logins-1]
		}
		return ""
	}
	c := f.client()
	for i := range answers {
		if _, err := c.Clock(context.Background()); (err == nil) != (i == len(answers)-1) || errors.Is(err, backup.ErrRefused) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// Too many logins: it is tried again after a rest, but not for ever.
func TestTooManyLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := 2
		f := &fakeCove{}
		f.answer = func(_ http.ResponseWriter, h recordedCall) string {
			if h.Method == "Login" && f.logins <= busy {
				return `{"error":{"code":-32603,"data":14409,"message":"Too many logins at the same time, password"}}`
			}
			return ""
		}
		began := time.Now()
		if _, err := f.client().Clock(context.Background()); err != nil || f.logins != 3 {
			t.Errorf("%v after %d logins", err, f.logins)
		}
		if rest := time.Since(began); rest < 2*time.Second || rest > time.Minute {
			t.Errorf("rested %v", rest)
		}
		busy, f.logins = 100, 0
		if _, err := f.client().Clock(context.Background()); !hasErrorNumber(err, errLogins) || f.logins != maxLoginTries {
			t.Errorf("%v after %d logins", err, f.logins)
		}
	})
}

// The partner is sent when it is set, and not when it is not.
func TestPartner(t *testing.T) {
	for _, partner := range []string{"", "Acme Ltd (admin@acme.example)"} {
		f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
			if h.Method == "Login" {
				return recorded(t, "login.json")
			}
			return ""
		}}
		c := f.client(func(o *Options) { o.Partner = partner })
		if _, err := c.Clock(context.Background()); err != nil {
			t.Fatal(err)
		}
		login := f.callsOf("Login")[0].Params
		if got, sent := login["partner"]; sent != (partner != "") || sent && got != partner {
			t.Errorf("login with %v", login)
		}
		if id := f.callsOf("EnumerateAccountStatistics")[0].query()["PartnerId"]; id != 139124.0 {
			t.Errorf("customer %v", id)
		}
	}
	f := &fakeCove{}
	f.client(func(o *Options) { o.PartnerID = 77 }).Clock(context.Background())
	if id := f.callsOf("EnumerateAccountStatistics")[0].query()["PartnerId"]; id != 77.0 {
		t.Errorf("customer %v", id)
	}
}
