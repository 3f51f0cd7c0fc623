package mailbox

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// startTLS speaks the few lines before TLS begins, and gives a connection that
// a client can be put on. The library's own waits for good where an answer is
// cut off after its OK, even when the connection is closed.
func startTLS(ctx context.Context, raw net.Conn, config *tls.Config) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	// Nothing is read beyond the lines: what comes in plain behind them could
	// be taken for what comes inside TLS.
	r := bufio.NewReaderSize(raw, 4096)
	greeting, err := readLine(r)
	if err != nil {
		return nil, contextError(ctx, fmt.Errorf("wait for the greeting: %w", err))
	}
	if !strings.HasPrefix(greeting, "* OK") { // PREAUTH: RFC 9051 section 7.1.4
		return nil, statusError(strings.TrimPrefix(greeting, "* "))
	}
	if _, err := io.WriteString(raw, "S STARTTLS\r\n"); err != nil {
		return nil, contextError(ctx, fmt.Errorf("send STARTTLS: %w", err))
	}
	for range 100 {
		line, err := readLine(r)
		if err != nil {
			return nil, contextError(ctx, fmt.Errorf("wait for the answer to STARTTLS: %w", err))
		}
		answer, ok := strings.CutPrefix(line, "S ")
		switch {
		case !ok:
			continue
		case !strings.HasPrefix(answer, "OK"):
			return nil, statusError(answer)
		case r.Buffered() > 0:
			return nil, errors.New("the server says more between STARTTLS and TLS")
		}
		secured := tls.Client(raw, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		// After STARTTLS a server does not greet again; the client waits for it.
		return &greeted{Conn: secured, greeting: strings.NewReader("* OK TLS\r\n")}, nil
	}
	return nil, errors.New("the server does not answer STARTTLS")
}

// readLine reads a line that fits in the reader's buffer.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	return strings.TrimRight(string(line), "\r\n"), err
}

// statusError reads "NO [CODE] text" (RFC 9051 section 7.1).
func statusError(line string) error {
	typ, text, _ := strings.Cut(line, " ")
	e := &imap.Error{Type: imap.StatusResponseType(strings.ToUpper(typ)), Text: text}
	if rest, ok := strings.CutPrefix(text, "["); ok {
		if code, after, ok := strings.Cut(rest, "]"); ok {
			code, _, _ = strings.Cut(code, " ")
			e.Code, e.Text = imap.ResponseCode(code), strings.TrimSpace(after)
		}
	}
	return e
}

// greeted is a connection on which a greeting is read first.
type greeted struct {
	net.Conn
	greeting *strings.Reader
}

func (g *greeted) Read(p []byte) (int, error) {
	if g.greeting.Len() > 0 {
		return g.greeting.Read(p)
	}
	return g.Conn.Read(p)
}
