package endtoend

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/internal/postfix"
)

// twoDays delivers two days of runs: each once, whenever it is asked to.
// mails gives those that have arrived.
func (s *site) twoDays(mails func(atLeast int) [][]byte) {
	s.Helper()
	sent := s.once()
	s.agree(mails(sent))
	if n := s.once(); n != 0 {
		s.Fatalf("a second once delivered %d mails", n)
	}
	s.sim.Advance(24 * time.Hour)
	sent += s.once()
	all := mails(sent)
	s.agree(all)
	if len(all) != sent {
		s.Errorf("%d mails arrived, %d were sent", len(all), sent)
	}
	s.rule(all)
}

func TestDirectory(t *testing.T) {
	s := newSite(t, "delivery: {directory: mails}\n", covesim.AllQuirks)
	s.twoDays(func(int) [][]byte { return s.folder("mails") })
}

func TestDovecot(t *testing.T) {
	server := dovecot.Start(t, dovecot.Options{})
	s := newSite(t, fmt.Sprintf("delivery: {imap: {address: %q, tls: tls, username: %s, password: %s, mailbox: Cove}}\n",
		server.TLSAddr, server.User, server.Password), covesim.AllQuirks)
	_, _ = s.run(1, s.command("check")) // the certificate is not known yet
	s.trust(server.Cert.CertPEM)
	if out, _ := s.run(0, s.command("check")); !strings.Contains(out, "folder Cove: missing, will be made") {
		t.Errorf("check wrote\n%s", out)
	}
	s.twoDays(func(int) (all [][]byte) {
		for _, m := range server.Messages(t, "Cove") {
			_, st, err := read(m.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			if !m.InternalDate.Equal(st.End) {
				t.Errorf("%s: INTERNALDATE %s, want the run's end, %s", m.ID, m.InternalDate, st.End)
			}
			all = append(all, m.Bytes)
		}
		return all
	})
}

func TestPostfix(t *testing.T) {
	server := postfix.Start(t)
	s := newSite(t, fmt.Sprintf("delivery: {smtp: {address: %q, tls: starttls}}\n", server.Addr), covesim.AllQuirks)
	s.trust(server.Cert.CertPEM)
	if out, _ := s.run(0, s.command("check")); !strings.Contains(out, "recipient "+postfix.To+": accepted") {
		t.Errorf("check wrote\n%s", out)
	}
	s.twoDays(func(atLeast int) (all [][]byte) {
		for _, m := range server.Messages(t, atLeast) {
			all = append(all, m.Bytes)
		}
		return all
	})
}

// With all of Cove's oddities what is delivered can't be told from the truth so
// simply. None may come twice, and the rule reads each.
func TestOddities(t *testing.T) {
	s := newSite(t, "delivery: {directory: mails}\n", 0)
	sent := s.once()
	for range 4 {
		s.sim.Advance(6 * time.Hour)
		sent += s.once()
	}
	if n := s.once(); n != 0 {
		t.Errorf("a second once delivered %d mails", n)
	}
	all := s.folder("mails")
	if len(all) != sent || sent < 100 {
		t.Errorf("%d mails arrived, %d were sent", len(all), sent)
	}
	s.rule(all)
}
