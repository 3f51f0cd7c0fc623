package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// policy lets a page show itself, its style sheet and its icon, post its forms here and
// frame a mail, and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// headers are those of every reply.
var headers = map[string]string{
	"Content-Security-Policy":      policy,
	"X-Frame-Options":              "DENY",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "same-origin", // with less, a form over plain HTTP would not tell its origin
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// guard lets in whom the page is for.
func (s *Server) guard(next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		health := r.URL.Path == "/healthz" || r.URL.Path == "/readyz" // they tell nothing of customers
		switch {
		case s.Token == "" && !s.isOwnHost(r.Host):
			// A page from elsewhere whose name was made to point here has its own
			// name as Host (DNS rebinding).
			http.Error(w, "Open this page by the name or address that http.listen has, or set http.token.", http.StatusMisdirectedRequest)
		case s.Token != "" && !health && !s.isAuthorized(r):
			w.Header().Set("WWW-Authenticate", `Basic realm="covebridge", charset="UTF-8"`)
			http.Error(w, "The password is the http.token of the configuration, with any user name.", http.StatusUnauthorized)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, bodyBytes)
			next.ServeHTTP(w, r)
		}
	})
}

// isOwnHost tells whether a Host header names this machine as such, or as the
// configuration does.
func (s *Server) isOwnHost(hostport string) bool {
	host := strings.ToLower(strings.TrimSuffix(hostOf(hostport), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host != "" && host == strings.ToLower(hostOf(s.Listen))
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// isAuthorized tells whether the request has the token: as the password of a browser's
// login (RFC 7617) or as a program's bearer token (RFC 6750).
func (s *Server) isAuthorized(r *http.Request) bool {
	_, given, basic := r.BasicAuth()
	if !basic {
		given = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.Token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
