package covesim

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// visaKey signs visas; a simulator guards no secrets.
var visaKey = []byte("covesim")

// issue makes a visa: partner, user, 1, Unix time of issue, and a signature.
func (s *Sim) issue(now time.Time) string {
	return s.sign(fmt.Sprintf("%d-50121-1-%d", rootID, now.Unix()))
}

func (s *Sim) sign(text string) string {
	mac := hmac.New(sha256.New, visaKey)
	fmt.Fprintf(mac, "%s %d", text, s.visas.Load())
	return fmt.Sprintf("%s-%X", text, mac.Sum(nil))
}

// checkVisa refuses a visa that is missing, forged, aged or revoked. A good
// one earns the reply a fresh one; the older one stays good until it ages.
func (s *Sim) checkVisa(c *call, visa string) error {
	cut := strings.LastIndexByte(visa, '-')
	if cut < 0 || s.sign(visa[:cut]) != visa {
		return errVisa
	}
	issued, err := strconv.ParseInt(visa[strings.LastIndexByte(visa[:cut], '-')+1:cut], 10, 64)
	if err != nil || c.now.Sub(time.Unix(issued, 0)) >= s.options.VisaLife {
		return errVisa
	}
	c.fresh = s.issue(c.now)
	return nil
}

// ExpireVisas makes every visa issued so far worthless.
func (s *Sim) ExpireVisas() { s.visas.Add(1) }
