package endtoend

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// refusing is an SMTP server that gives this answer to a verb, and takes the others.
func refusing(t testing.TB, verb, answer string) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				fmt.Fprint(c, "220 refusing\r\n")
				for lines := bufio.NewScanner(c); lines.Scan(); {
					switch said := strings.ToUpper(lines.Text()); {
					case strings.HasPrefix(said, verb):
						fmt.Fprintf(c, "%s\r\n", answer)
					case said == "DATA":
						fmt.Fprint(c, "354 go on\r\n")
					default:
						fmt.Fprint(c, "250 fine\r\n")
					}
				}
			})
		}
	})
	t.Cleanup(func() { ln.Close(); all.Wait() })
	return ln.Addr().String()
}
