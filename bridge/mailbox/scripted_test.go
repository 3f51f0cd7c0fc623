package mailbox

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
)

// hangUp in an answer closes the connection there.
const hangUp = "\x00"

// serve is a server that greets and then answers each line as the test says.
func serve(t *testing.T, greeting string, answer func(line string) string) string {
	t.Helper()
	addr, stop := serveUntil(t, greeting, answer)
	t.Cleanup(stop)
	return addr
}

// serveUntil is serve, until stop is called.
func serveUntil(t *testing.T, greeting string, answer func(line string) string) (addr string, stop func()) {
	t.Helper()
	return listen(t, func(conn net.Conn) {
		defer conn.Close()
		io.WriteString(conn, greeting)
		for r := bufio.NewReader(conn); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			say, _, end := strings.Cut(answer(strings.TrimRight(line, "\r\n")), hangUp)
			io.WriteString(conn, say)
			if end {
				return
			}
		}
	})
}
