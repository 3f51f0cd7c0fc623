package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// OAuth2Options are an application's own login at an identity provider, by
// default Microsoft Entra ID for Exchange Online.
type OAuth2Options struct {
	Tenant       string // directory (tenant) id or domain
	ClientID     string
	ClientSecret string
	TokenURL     string   // empty: Entra's for the tenant
	Scopes       []string // empty: Exchange Online's
}

// ClientCredentials gets tokens with the client-credentials flow (RFC 6749
// section 4.4) and keeps one until it is about to expire. It is safe for
// concurrent use; several mailboxes may share one.
type ClientCredentials struct {
	config clientcredentials.Config
	client *http.Client

	mu      chan struct{} // held while a token is fetched
	token   *oauth2.Token
	renewAt time.Time // renew from here on
}

// NewClientCredentials does not ask for a token yet.
func NewClientCredentials(o OAuth2Options) *ClientCredentials {
	if o.TokenURL == "" {
		o.TokenURL = "https://login.microsoftonline.com/" + url.PathEscape(o.Tenant) + "/oauth2/v2.0/token"
	}
	if len(o.Scopes) == 0 {
		o.Scopes = []string{"https://outlook.office365.com/.default"}
	}
	return &ClientCredentials{
		config: clientcredentials.Config{
			ClientID:     o.ClientID,
			ClientSecret: o.ClientSecret,
			TokenURL:     o.TokenURL,
			Scopes:       o.Scopes,
			AuthStyle:    oauth2.AuthStyleInParams,
		},
		client: &http.Client{
			Timeout: dialTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { // it would carry the secret along
				return errors.New("the token endpoint redirects elsewhere")
			},
		},
		mu: make(chan struct{}, 1),
	}
}

// Token implements [TokenSource].
func (s *ClientCredentials) Token(ctx context.Context, refused string) (string, error) {
	select {
	case s.mu <- struct{}{}:
		defer func() { <-s.mu }()
	case <-ctx.Done():
		return "", s.fail(contextError(ctx, nil))
	}
	if s.token != nil && s.token.AccessToken != refused && time.Now().Before(s.renewAt) {
		return s.token.AccessToken, nil
	}
	token, err := s.config.Token(context.WithValue(ctx, oauth2.HTTPClient, s.client))
	if err != nil {
		return "", s.fail(err)
	}
	s.token, s.renewAt = token, renewal(time.Now(), token.Expiry)
	return token.AccessToken, nil
}

// renewal is when to get the next token: five minutes before this one
// expires, or after three quarters of a shorter life.
func renewal(now, expiry time.Time) time.Time {
	if expiry.IsZero() { // it did not say; Entra's live for an hour or more
		return now.Add(30 * time.Minute)
	}
	return expiry.Add(-min(5*time.Minute, expiry.Sub(now)/4))
}

// fail says what is missing, as far as the endpoint's answer tells it.
func (s *ClientCredentials) fail(err error) error {
	hide := secrets{s.config.ClientSecret, url.QueryEscape(s.config.ClientSecret)}
	e := &Error{Op: "oauth2 " + s.config.TokenURL + ": get a token for " + s.config.ClientID, Err: hide.clean(err)}
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return e
	}
	e.RetryAfter = loginRetryAfter
	text := answer.ErrorCode + " " + answer.ErrorDescription
	if answer.ErrorCode == "" {
		text = answer.Response.Status + " " + string(answer.Body)
	}
	e.Text = oneLine(hide.hide(text))
	e.Err = fmt.Errorf("token endpoint: %s", e.Text) // answer holds the body as it came
	e.Hint = tokenHint(answer.ErrorCode, text)
	return e
}
