package cove

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/backup"
)

// A device's token is asked for anew when its node takes it no more, and so is
// its node when it moved.
func TestTokenIsRefreshed(t *testing.T) {
	token, host := "old-token", "old.cloudbackup.management"
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		switch h.Method {
		case "GetAccountInfoById":
			return fmt.Sprintf(`{"result":{"result":{"Token":%q},"homeNodeInfo":{"CommonInfo":{"Host":%q}}}}`, token, host)
		case "QuerySessions":
			if h.Params["token"] != token || h.Host != host {
				return recorded(t, "error-security.json")
			}
		}
		return ""
	}}
	c := f.client()
	read := func() error {
		_, err := c.Sessions(context.Background(), aServer, testNow, time.Time{})
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	token = "new-token"
	if err := read(); err != nil {
		t.Fatal(err)
	}
	host = "new.cloudbackup.management"
	if err := read(); err != nil {
		t.Fatal(err)
	}
	if n, q := len(f.callsOf("GetAccountInfoById")), len(f.callsOf("QuerySessions")); n != 3 || q != 5 {
		t.Errorf("%d accounts, %d queries", n, q)
	}
}

// The node's name must be a bare host name: a token goes there.
func TestHostNames(t *testing.T) {
	for text, want := range map[string]string{
		"CA-TR2.cloudbackup.management:443": "ca-tr2.cloudbackup.management", " node.acme.example ": "node.acme.example",
		"10.0.0.1": "10.0.0.1", "": "", "a/b": "", "user@host": "", "host?x": "", "http://host": "", "-x": "", "a b": "",
		"[::1]:443": "", "evil.example#.cloudbackup.management": "", strings.Repeat("a", 254): "", "a\nb": "", "é.example": "",
	} {
		if got := hostName(text); text == "http://host" && got != "http" || text != "http://host" && got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// Whose node it is shows by its domain, not by how its name ends.
func TestOwnNode(t *testing.T) {
	for host, want := range map[string]bool{
		"ca-tr2.cloudbackup.management": true, "cloudbackup.management": true,
		"evilcloudbackup.management": false, "cloudbackup.management.example": false, "node.acme.example": false,
	} {
		if ownNode(host) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}

// Without a home node its name is asked for in the other way.
func TestEndpointFallback(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method == "GetAccountInfoById" {
			return `{"result":{"result":{"Token":"tttt"},"homeNodeInfo":null}}`
		}
		return deviceAnswers(t, h)
	}}
	if _, err := f.client().Sessions(context.Background(), aServer, testNow, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if h := f.callsOf("QuerySessions")[0]; h.Host != "ca-tr2-0203-22.cloudbackup.management" {
		t.Errorf("asked %s", h.Host)
	}
}

// A node that keeps callers waiting is left alone for a while.
func TestSlowNodeIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tried atomic.Int64
		f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
			if h.Method == "QuerySessions" && tried.Add(1) <= 2 {
				time.Sleep(10 * time.Second)
				panic("cut")
			}
			return deviceAnswers(t, h)
		}}
		c := f.client(func(o *Options) { o.Now = time.Now })
		read := func() error {
			_, err := c.Sessions(context.Background(), aServer, testNow, time.Time{})
			return err
		}
		for range 3 {
			if err := read(); !errors.Is(err, backup.ErrNoHistory) {
				t.Error(err)
			}
		}
		if tried.Load() != 2 {
			t.Errorf("tried %d times", tried.Load())
		}
		time.Sleep(nodeCooldown)
		if err := read(); err != nil {
			t.Error(err)
		}
	})
}
