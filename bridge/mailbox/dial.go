package mailbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// How long single steps may take at most; the caller's context can end them earlier.
const (
	dialTimeout    = 30 * time.Second // connecting, with TLS and the greeting
	commandTimeout = time.Minute      // a command that moves little
	batchTimeout   = 5 * time.Minute  // a batch of mails, and its answers
	searchTimeout  = 10 * time.Minute // looking through a folder
)

// endpoint is a server and how to speak to it.
type endpoint struct {
	address string // host:port
	mode    string // "tls", "starttls" or "none"
	config  *tls.Config
}

// dial connects, with TLS if it comes first. It returns the connection to
// speak on and, to end every wait at once, the one below it.
func (e endpoint) dial(ctx context.Context) (conn, raw net.Conn, err error) {
	switch e.mode {
	case "tls", "starttls", "none":
	default:
		return nil, nil, fmt.Errorf("tls: %q is unknown: use tls, starttls or none", e.mode)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err = new(net.Dialer).DialContext(ctx, "tcp", e.address)
	if err != nil {
		return nil, nil, err
	}
	if e.mode != "tls" {
		return raw, raw, nil
	}
	secured := tls.Client(raw, e.tlsConfig())
	if err := secured.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, nil, err
	}
	return secured, raw, nil
}

// tlsConfig is the configured one, for the host that is dialled.
func (e endpoint) tlsConfig() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if e.config != nil {
		config = e.config.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = e.host()
	}
	return config
}

func (e endpoint) host() string {
	host, _, err := net.SplitHostPort(e.address)
	if err != nil {
		return e.address
	}
	return host
}

// private tells whether a password can be sent: what is said on the
// connection is encrypted or never leaves this machine.
func (e endpoint) private(raw net.Conn) bool {
	if e.mode != "none" {
		return true
	}
	addr, ok := raw.RemoteAddr().(*net.TCPAddr)
	return ok && addr.IP.IsLoopback()
}

var errPlaintext = errors.New("the password would cross the network unencrypted")

const plaintextHint = "set tls to tls or starttls; allow_plaintext: true sends it all the same"

// dialHint says what to do about a connection that did not come about.
func (e endpoint) dialHint(err error) string {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		noTLS    tls.RecordHeaderError
		noHost   *net.DNSError
		badAddr  *net.AddrError
	)
	switch {
	case errors.As(err, &unknown):
		issuer := "an authority that is not known here"
		if unknown.Cert != nil {
			issuer = "“" + oneLine(unknown.Cert.Issuer.String()) + "”"
		}
		return "the certificate was issued by " + issuer +
			": install that authority's certificate in the system's store, or give the server a certificate from a public authority"
	case errors.As(err, &hostname):
		names := hostname.Certificate.DNSNames
		for _, ip := range hostname.Certificate.IPAddresses {
			names = append(names, ip.String())
		}
		return "the certificate is for " + oneLine(strings.Join(names, ", ")) + ": use one of these names as the address"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate is valid from " + invalid.Cert.NotBefore.Format(time.DateOnly) +
			" to " + invalid.Cert.NotAfter.Format(time.DateOnly) + ": have it renewed, or mend this machine's clock"
	case errors.As(err, &noTLS):
		return "the server does not begin with TLS on this port: use tls: starttls, or its TLS port"
	case errors.As(err, &badAddr):
		return "write the address as host:port"
	case errors.As(err, &noHost):
		return "check the host name in the address, and this machine's DNS"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: check the port in the address, and that the server runs"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "the server did not answer: check the address, and firewalls on the way"
	}
	return ""
}
