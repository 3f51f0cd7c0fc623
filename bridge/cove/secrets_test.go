package cove

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/internal/ratio"
)

// A secret is masked wherever it stands, in whichever spelling, and across the
// end of what is read of a text as well.
func TestQuote(t *testing.T) {
	c := New(Options{Password: testPassword})
	token := `ab/cd+ef=="ü\`
	c.secrets.add(token)
	c.secrets.add("abc") // too short to be looked for
	c.secrets.addVisa("short-visa")
	for text, want := range map[string]string{
		"":                             "",
		"srv01_ab12c":                  "srv01_ab12c",
		"abc " + testPassword + "x":    "abc [secret]x",
		testPassword + testPassword:    "[secret][secret]",
		"is " + token + " bad":         "is [secret] bad",
		"q=" + url.QueryEscape(token):  "q=[secret]",
		`\"ab\/cd+ef==\"ü\\\" `:        `\"[secret]\"`,
		"short-visa":                   "[secret]",
		testVisa:                       "[secret]",
		testPassword[:10]:              testPassword[:10],
		strings.Repeat("x", 501):       strings.Repeat("x", 497) + "…",
		"a" + strings.Repeat(" ", 9e3): "a",
	} {
		if got := c.quote(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	unknown := "33491-50121-1-1795400000-" + strings.Repeat("F", 100)
	for _, secret := range []string{testPassword, token, unknown} {
		for at := maxQuoted - 150; at < maxQuoted+maxVisa+50; at++ {
			got := c.quote("x" + strings.Repeat(" ", at) + secret + " ")
			for i := 4; i <= len(secret); i++ {
				if strings.Contains(got, secret[:i]) && !strings.Contains("[secret]", secret[:i]) {
					t.Fatalf("at %d: %q", at, got)
				}
			}
		}
	}
}

// Secrets are told as they are, once each, and old visas are forgotten.
func TestSecrets(t *testing.T) {
	c := New(Options{Password: testPassword})
	for i := range 3 * maxVisas {
		c.secrets.addVisa(fmt.Sprintf("visa number %d", i))
		c.secrets.add("token of a/b")
	}
	all := c.Secrets()
	if len(all) != maxVisas+2 || !slices.Contains(all, "token of a/b") || !slices.Contains(all, testPassword) {
		t.Errorf("%d secrets", len(all))
	}
	if got := c.quote(fmt.Sprintf("visa number %d, visa number 0", 3*maxVisas-1)); got != "[secret], visa number 0" {
		t.Error(got)
	}
}

// Many known tokens, even such as begin alike, cost nothing that counts.
func TestQuoteCost(t *testing.T) {
	few, many := New(Options{Password: testPassword}), New(Options{Password: testPassword})
	for i := range 20_000 {
		many.secrets.add(fmt.Sprintf("devicetoken-%08d-abcdef", i))
	}
	text := strings.Repeat("devicetoken-0000000 ", 25)
	cost := func(c *Client) time.Duration {
		least := time.Hour
		for range 50 {
			began := time.Now()
			c.quote(text)
			least = min(least, time.Since(began))
		}
		return least
	}
	if a, b := cost(few), cost(many); b > 10*a {
		t.Errorf("with 20,000 tokens it takes %v, with none %v", b, a)
	}
}

func BenchmarkQuote(b *testing.B) {
	few, many := New(Options{Password: testPassword}), New(Options{Password: testPassword})
	for i := range 20_000 {
		many.secrets.add(fmt.Sprintf("devicetoken-%08d-abcdef", i))
	}
	ratio.Of(b, "no-tokens", func() { few.quote("srv01_ab12c is not known") }, func() { many.quote("srv01_ab12c is not known") })
}
