package cove

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/backup"
)

// A 5xx with an error in its body is tried again like any other, and what it
// said is told in the end; an error that stands is not.
func TestErrorsIn5xx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, message := range []string{"Database is locked", "The service is temporarily disabled for maintenance", "Internal error", "bad password"} {
			for _, down := range []int{1, 100} {
				f := &fakeCove{}
				f.answer = func(w http.ResponseWriter, h recordedCall) string {
					if h.Method != "Login" || f.logins > down {
						return ""
					}
					w.WriteHeader(http.StatusServiceUnavailable)
					return fmt.Sprintf(`{"error":{"code":-32603,"message":%q}}`, message)
				}
				c := f.client()
				_, err := c.Clock(context.Background())
				if (err == nil) != (down == 1) || errors.Is(err, backup.ErrRefused) {
					t.Errorf("%s: %v after %d logins", message, err, f.logins)
				}
				if err != nil && (!strings.Contains(err.Error(), message) || !strings.Contains(err.Error(), "HTTP 503")) {
					t.Error(err)
				}
				down = 0 // and the next time it works
				if _, err := c.Clock(context.Background()); err != nil {
					t.Error(err)
				}
			}
		}
		for _, number := range []int64{errLogin, errVisa, errSecurity, errLogins} {
			f := &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
				if h.Method == "Login" && number != errLogin {
					return ""
				}
				w.WriteHeader(http.StatusServiceUnavailable)
				return fmt.Sprintf(`{"error":{"code":-32603,"data":%d,"message":"no"}}`, number)
			}}
			_, err := f.client().Clock(context.Background())
			if err == nil || errors.Is(err, backup.ErrRefused) != (number == errLogin) || len(f.calls) > 4 {
				t.Errorf("%d: %v after %d calls", number, err, len(f.calls))
			}
		}
	})
}

// The word "session" in an error is no reason to log in again: it speaks of a
// backup.
func TestSessionInAnError(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method == "EnumerateSessionErrors" {
			return `{"error":{"code":-32603,"data":12,"message":"Backup session 9 was not found"}}`
		}
		if h.Method == "GetAccountInfoById" {
			return `{"result":{"result":{"Id":1,"Name":"n","Token":"toktok"}}}`
		}
		return ""
	}}
	c := f.client()
	for i := range 50 {
		sessions := []backup.Session{{ID: "9", Source: m365Exchange.dataSource(), Start: testNow}}
		err := c.Errors(context.Background(), backup.Device{ID: fmt.Sprint(i + 1), Type: backup.Microsoft365}, sessions)
		if err != nil || !strings.Contains(sessions[0].ErrorsMissing, "was not found") {
			t.Fatalf("%v, %+v", err, sessions)
		}
	}
	if f.logins != 1 || len(f.callsOf("EnumerateSessionErrors")) != 50 {
		t.Errorf("%d logins, %d calls", f.logins, len(f.callsOf("EnumerateSessionErrors")))
	}
}

// A visa that Cove takes no more costs a call one login, and no more.
func TestOneLoginACall(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method == "Login" {
			return ""
		}
		return recorded(t, "error-visa.json")
	}}
	c := f.client()
	for i := range 3 {
		err := c.Devices(context.Background(), backup.Selection{Since: time.Hour}, func(backup.Row) error { return nil })
		// The tree of customers is a call of its own.
		if !isVisaExpired(err) || f.logins > 1+2*(i+1) {
			t.Errorf("%v after %d logins", err, f.logins)
		}
	}
}

func TestErrorNumbers(t *testing.T) {
	for text, want := range map[string]Error{
		`{"code":-32603,"data":1701,"message":"Visa"}`:           {Code: -32603, Number: 1701, Message: "Visa"},
		`{"code":"-32603","data":"13501","message":["a","b"]}`:   {Code: -32603, Number: 13501, Message: "a"},
		`{"code":13501,"message":"m"}`:                           {Code: 13501, Number: 13501, Message: "m"},
		`{"code":-32603,"data":{"Number":2100,"Message":"bad"}}`: {Code: -32603, Number: 2100, Message: "bad"},
		`{"code":-32603,"data":"text"}`:                          {Code: -32603, Message: "text"},
		`{"code":-32602,"data":null,"message":null}`:             {Code: -32602},
		`"gone"`: {Message: "gone"},
		`{"code":1,"message":"a\u0000b\u001b[31m\r\nc\u202ed"}`:        {Code: 1, Number: 1, Message: "a b [31m c d"},
		`{"code":1,"message":"is ` + testVisa + ` dead"}`:              {Code: 1, Number: 1, Message: "is [secret] dead"},
		`{"code":1,"message":"pw ` + testPassword + `"}`:               {Code: 1, Number: 1, Message: "pw [secret]"},
		`{"code":1,"message":"` + strings.Repeat("ä", 400) + `"}`:      {Code: 1, Number: 1, Message: strings.Repeat("ä", 248) + "…"},
		`{"code":99999999999999999999,"data":1e99,"message":"beyond"}`: {Message: "beyond"},
	} {
		f := &fakeCove{answer: func(http.ResponseWriter, recordedCall) string { return `{"error":` + text + `}` }}
		_, err := f.client().send(context.Background(), request{url: "https://cove.example/x", method: "M"}, "", nil)
		var got *Error
		if !errors.As(err, &got) {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want.Method, want.HTTPStatus = "M", http.StatusOK
		if *got != want {
			t.Errorf("%s: %+v, want %+v", text, *got, want)
		}
	}
	for _, e := range []*Error{{Method: "M", Number: 5, Code: 3, Message: "x"}, {Method: "M", Code: 3}, {Method: "M", HTTPStatus: 403}} {
		if !strings.HasPrefix(e.Error(), "M: Cove answered ") {
			t.Error(e)
		}
	}
}
