package cove

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
)

func TestCheck(t *testing.T) {
	sim := covesim.New(covesim.Options{Devices: 1200, Start: simStart})
	got, err := simulated(t, sim).Check(context.Background())
	if err != nil || !strings.HasPrefix(got, "msp: logged in as api-user (partner ") || !strings.HasSuffix(got, "), 1200 devices") {
		t.Errorf("%s, %v", got, err)
	}
	got, err = (&fakeCove{}).client().Check(context.Background())
	if err != nil || got != "msp: logged in as api-user (partner 139124), no devices: check partner_id, for Cove does not say when it is wrong" {
		t.Errorf("%s, %v", got, err)
	}
	ids := []int{5}
	got, err = (&fakeCove{answer: pager(&ids, plainRow)}).client(func(o *Options) { o.PartnerID = 9 }).Check(context.Background())
	if err != nil || got != "msp: logged in as api-user (partner 9), 1 device" {
		t.Errorf("%s, %v", got, err)
	}
}

// Errors of the check say what to do.
func TestCheckFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for answer, want := range map[string]string{
			recorded(t, "login-refused.json"):         "Cove refused the login of api-user (2100",
			recorded(t, "error-security.json"):        "check url, partner_id and the user's role in Cove",
			`{"error":{"code":-32603,"data":14409}}`:  "look for other programs that use this login",
			"<html>":                                  "web page",
			`{"visa":"12345","result":{"result":{}}}`: "set partner_id",
			`{"result":{"result":{"PartnerId":1}}}`:   "holds no visa",
			"cut":                                     "check url, the network, and the proxy",
		} {
			f := &fakeCove{answer: func(http.ResponseWriter, recordedCall) string {
				if answer == "cut" {
					panic("cut")
				}
				return answer
			}}
			_, err := f.client().Check(context.Background())
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", answer, err)
			}
			if errors.Is(err, backup.ErrRefused) != strings.Contains(answer, "2100") {
				t.Error(err)
			}
		}
	})
}

// No error tells a secret, whatever comes back: here every answer of every
// service repeats all that it was sent.
func TestNoSecretInErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, form := range []string{
			`{"error":{"code":-32603,"data":5,"message":"$"}}`, `{"error":"$"}`, `{"error":{"data":"$"}}`, `{"result":"$"}`, `<html>$`, `{"$`,
			`{"result":{"result":[{"AccountId":"$`, `$`, `{"error":{"code":1,"data":{"message":"$"}}}`,
		} {
			var sent []string
			f := &fakeCove{}
			f.answer = func(_ http.ResponseWriter, h recordedCall) string {
				switch h.Method {
				case "Login", "GetAccountInfoById":
					return deviceAnswers(t, h)
				}
				token, _ := h.Params["token"].(string)
				accountToken, _ := h.Params["accountToken"].(string)
				sent = append(sent, h.Visa, token, accountToken)
				return strings.ReplaceAll(form, "$", strings.Join([]string{h.Visa, h.Bearer, token, accountToken, testPassword}, " "))
			}
			c := f.client()
			_, err1 := c.Clock(context.Background())
			_, err2 := c.Sessions(context.Background(), aServer, testNow, testNow)
			_, err3 := c.Sessions(context.Background(), aTenant, testNow, testNow)
			sessions := []backup.Session{{ID: "1"}}
			err4 := c.Errors(context.Background(), aServer, sessions)
			_, err5 := c.Check(context.Background())
			_, err6 := c.DeviceName(context.Background(), aServer)
			for _, err := range []error{err1, err2, err3, err4, err5, err6, errors.New(sessions[0].ErrorsMissing)} {
				if err == nil {
					continue // a result that is a string is an empty page
				}
				for _, secret := range append(sent, c.Secrets()...) {
					if secret != "" && strings.Contains(err.Error(), secret) {
						t.Errorf("%s: %v tells %s", form, err, secret)
					}
				}
			}
			if secrets := strings.Join(c.Secrets(), " "); !strings.Contains(secrets, testPassword) || !strings.Contains(secrets, "7f1c-device-token-0001") {
				t.Errorf("Secrets does not know %q", secrets)
			}
		}
	})
}

// A call that runs out of time tells why its tries failed, not only that.
func TestCauseOfTimeout(t *testing.T) {
	c := New(Options{Name: "msp", URL: "http://127.0.0.1:1/jsonapi", Username: "u", Password: "p"})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // the second try comes after a second
	defer cancel()
	_, err := c.Check(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "connection refused: check url") {
		t.Errorf("got %v", err)
	}
}
