package postfix

import (
	"crypto/tls"
	"net/smtp"
	"sync"
	"testing"
)

func TestDelivers(t *testing.T) {
	s := Start(t)
	text := []byte("From: a@msp.test\r\nMessage-ID: <one@msp.test>\r\n\r\ntext\r\n")
	if err := smtp.SendMail(s.Addr, nil, "a@msp.test", []string{To}, text); err == nil {
		t.Error("the certificate of an unknown authority was taken")
	}
	c, err := smtp.Dial(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.StartTLS(s.client()); err != nil {
		t.Fatal(err)
	}
	if err := c.Mail("a@msp.test"); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt(To); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	w.Write(text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.Messages(t, 1); len(got) != 1 || got[0].ID != "one@msp.test" {
		t.Errorf("got %+v", got)
	}
}

// Each of many that start at once has a port of its own.
func TestManyAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s := Start(t)
			c, err := smtp.Dial(s.Addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if err := c.StartTLS(s.client()); err != nil { // with the certificate of this one
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func (s *Server) client() *tls.Config {
	config := s.Cert.Client.Clone()
	config.ServerName = "127.0.0.1"
	return config
}
