package config

import (
	"net"
	"strconv"
	"strings"
)

// minToken is the least length of http.token: what nobody guesses over a network.
const minToken = 16

// checkHTTP refuses a page that others than this machine's users can open without
// a token. Listen becomes empty where the page is off.
func (d *decoder) checkHTTP(h *HTTP) {
	if h.Listen == "" || strings.EqualFold(h.Listen, "off") {
		h.Listen = ""
		return
	}
	host, number, err := net.SplitHostPort(h.Listen)
	n, wrong := strconv.Atoi(number)
	switch {
	case err != nil || wrong != nil || n < 0 || n > 65535:
		d.problemf("http.listen", "an address and a port such as 127.0.0.1:8642 is expected, or off, not %s", d.asWritten("http.listen"))
	case !local(host) && h.Token == "":
		d.problemf("http.token", "missing: others than this machine can reach %s: set a token (openssl rand -hex 16 makes one), or listen: 127.0.0.1:%s", d.asWritten("http.listen"), number)
	}
	if h.Token != "" && len(h.Token) < minToken {
		d.problemf("http.token", "%d letters or more are expected: openssl rand -hex 16 makes a token", minToken)
	}
}
