// Package faultproxy stands between the bridge and a mail server and does
// what networks and servers do on bad days, at exactly chosen moments in the
// delivery of a mail. It speaks IMAP and SMTP, both without TLS.
package faultproxy

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Point is a moment in the delivery of a mail.
type Point int

const (
	// BeforeMail: APPEND or MAIL came from the client; the server has not seen it.
	BeforeMail Point = iota
	// BeforeData: APPEND went to the server, none of the literal did; or DATA
	// came from the client, and the server has not seen it.
	BeforeData
	// InData: the server got a part of the mail.
	InData
	// BeforeEnd: the server got the mail, but not what ends it: the line end
	// after the literal, or the final dot.
	BeforeEnd
	// AfterEnd: the server took the mail and answered; the client has not seen
	// the answer.
	AfterEnd
)

// Points are all of them.
var Points = []Point{BeforeMail, BeforeData, InData, BeforeEnd, AfterEnd}

// Cuts are a cut at each of them.
func Cuts() (faults []Fault) {
	for _, p := range Points {
		faults = append(faults, Fault{At: p, Do: Cut})
	}
	return faults
}

// String names the point.
func (p Point) String() string {
	return [...]string{"before the mail", "before its data", "in its data", "before its end", "after its end"}[p]
}

// Action is what happens.
type Action int

const (
	// Nothing happens.
	Nothing Action = iota
	// Cut closes the connection on both sides.
	Cut
	// Answer gives the client Fault.Text in place of the server's answer. At
	// BeforeMail it comes before an IMAP client may send the literal. At
	// BeforeEnd the server gets none of the mail.
	Answer
	// Delay waits for Fault.Delay and then goes on.
	Delay
	// Stall says nothing more until the client closes the connection.
	Stall
)

// Fault is what happens to a mail. The zero value is none.
type Fault struct {
	At    Point
	Do    Action
	Text  string        // for Answer, without the tag: "NO [OVERQUOTA] full", "451 4.3.0 later"
	Delay time.Duration // for Delay
}

// String describes the fault.
func (f Fault) String() string {
	switch f.Do {
	case Cut:
		return "cut " + f.At.String()
	case Answer:
		return fmt.Sprintf("%q %s", f.Text, f.At)
	case Delay:
		return fmt.Sprintf("%v %s", f.Delay, f.At)
	case Stall:
		return "silence " + f.At.String()
	}
	return "nothing"
}

// Protocol is what client and server speak.
type Protocol int

// The protocols.
const (
	IMAP Protocol = iota
	SMTP
)

// Proxy passes connections on to a server. It is safe for concurrent use.
type Proxy struct {
	protocol Protocol
	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	choose func() Fault
	links  map[*link]bool
	mails  int
	struck int
	closed bool
}

// New listens on a free port of 127.0.0.1. Nothing goes wrong until Script or
// Random say so.
func New(protocol Protocol, target string) (*Proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start fault proxy: %w", err)
	}
	p := &Proxy{protocol: protocol, target: target, listener: ln, links: map[*link]bool{}}
	p.Script()
	p.running.Go(p.accept)
	return p, nil
}

// Addr is where clients connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Script lets the faults strike the next mails, one each, in order; mails
// after them pass.
func (p *Proxy) Script(faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.choose = func() (f Fault) {
		if len(faults) > 0 {
			f, faults = faults[0], faults[1:]
		}
		return f
	}
}

// Random lets one of the faults strike a share (0 to 1) of all mails, the
// same ones for the same seed and order of mails.
func (p *Proxy) Random(seed uint64, share float64, faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := rand.New(rand.NewPCG(seed, 0))
	p.choose = func() Fault {
		if r.Float64() >= share {
			return Fault{}
		}
		return faults[r.IntN(len(faults))]
	}
}

// Counts tells how many mails clients began to deliver, and how many of them
// a fault struck.
func (p *Proxy) Counts() (mails, struck int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mails, p.struck
}

// CutAll closes all connections there are now.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// Close closes the proxy and its connections, and waits until they are gone.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.listener.Close()
	p.CutAll()
	p.running.Wait()
}

// next chooses what happens to the mail that a client begins to deliver.
func (p *Proxy) next() Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.choose()
	p.mails++
	if f.Do != Nothing {
		p.struck++
	}
	return f
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		client.Close()
		return
	}
	l := newLink(p, client, server)
	p.mu.Lock()
	p.links[l] = true
	if p.closed {
		l.cut()
	}
	p.mu.Unlock()
	p.running.Go(l.down)
	if p.protocol == IMAP {
		l.imap()
	} else {
		l.smtp()
	}
	l.cut()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}
