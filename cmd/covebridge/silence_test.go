package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Whatever a command waits for, a Cove, a mailbox or a database that takes the
// connection and never answers, it says so again and again.
func TestNeverSilent(t *testing.T) {
	if testing.Short() {
		t.Skip("it looks on for a while")
	}
	const (
		watched = 9 * time.Second // less than any of them waits
		most    = 6 * time.Second // they speak every 2, but machines have other things to do
	)
	hole := blackHole(t)
	sim, stop, err := startSim("--plain", "--devices", "4")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	mail := "\ndelivery: {directory: mails}"
	deaf := map[string]string{
		"Cove":     strings.ReplaceAll(quiet, "${COVE}", hole) + mail,
		"database": strings.ReplaceAll(quiet, "${COVE}", sim) + mail + "\nledger: {postgres: 'postgres://u:p@" + hole + "/d'}",
		"mailbox":  strings.ReplaceAll(quiet, "${COVE}", sim) + "\ndelivery: {imap: {address: '" + hole + "', tls: none, allow_plaintext: true, username: u, password: p, mailbox: Cove}}",
	}
	began := make(chan struct{}, 4) // four at a time, until they speak
	var all sync.WaitGroup
	for name, calls := range map[string][]string{
		"Cove":     {"check", "preview", "preview --limit 2", "once", "run", "backfill --since 2d", "backfill --since 2d --dry-run"},
		"database": {"check", "once", "run", "backfill --since 2d", "status", "history", "devices", "show x", "resend x", "resend --failed", "ledger copy other.db postgres://u:p@" + hole + "/d"},
		"mailbox":  {"check", "once", "backfill --since 2d"},
	} {
		for _, line := range calls {
			dir := t.TempDir()
			for file, text := range map[string]string{"config.yaml": deaf[name], "other.db": ""} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			all.Go(func() {
				began <- struct{}{}
				spoke := sync.OnceFunc(func() { <-began })
				defer spoke()
				longest, said, ended := listen(t, dir, strings.Fields(line), watched, spoke)
				if ended || longest > most {
					t.Errorf("deaf %s: %s: silent for %s (ended: %v):\n%s", name, line, longest, ended, said)
				}
			})
		}
	}
	all.Wait()
}

// quiet is a configuration with nothing beside what is asked.
const quiet = `mail: {from: Cove <cove@msp.example>, to: [backups@msp.example]}
http: {listen: off}
heartbeat: {every: 0}
cove: [{name: sim, url: "http://${COVE}/jsonapi", reporting_url: "http://${COVE}/reporting_api", node_url: "http://${COVE}/repserv_json", username: api-user, password: covesim}]`

// blackHole takes connections and never answers.
func blackHole(t *testing.T) (address string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var open []net.Conn
		for {
			c, err := ln.Accept()
			if err != nil {
				break
			}
			open = append(open, c)
		}
		for _, c := range open {
			c.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String()
}

// listen gives the longest silence of a call of the program within a time, what
// it said, and whether it ended by itself. It calls spoke when it hears it.
func listen(t *testing.T, dir string, args []string, within time.Duration, spoke func()) (longest time.Duration, said string, ended bool) {
	cmd := exec.Command("covebridge", args...)
	cmd.Dir = dir
	heard := &words{at: []time.Time{time.Now()}, spoke: spoke}
	cmd.Stdout, cmd.Stderr = heard, heard
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return 0, "", true
	}
	over := make(chan struct{})
	go func() { defer close(over); _ = cmd.Wait() }()
	select {
	case <-over:
		ended = true
	case <-time.After(within):
	}
	_ = cmd.Process.Kill()
	<-over
	heard.at = append(heard.at, time.Now())
	for i := range heard.at[1:] {
		longest = max(longest, heard.at[i+1].Sub(heard.at[i]))
	}
	return longest, strings.Join(heard.said, ""), ended
}

// words are what a program writes, and when.
type words struct {
	mu    sync.Mutex
	at    []time.Time
	said  []string
	spoke func()
}

func (w *words) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = append(w.at, time.Now())
	w.said = append(w.said, fmt.Sprintf("%s  %s", w.at[len(w.at)-1].Sub(w.at[0]).Round(time.Millisecond), text))
	w.spoke()
	return len(text), nil
}
