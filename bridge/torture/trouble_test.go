package torture

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/internal/faultproxy"
	"covebridge/bridge/ledger"
)

// A mail that the server refuses, a device whose job can't be named and an
// account that is locked hold up nothing else. They are in the history with
// their causes, and go out once those are gone.
func TestTorturePoison(t *testing.T) {
	t.Parallel()
	server := dovecot.Start(t, dovecot.Options{})
	proxy, err := faultproxy.New(faultproxy.IMAP, server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	proxy.Script(faultproxy.Fault{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: "NO not this one, not ever"})
	r := newRig(t, "")
	locked := covesim.New(covesim.Options{Seed: 12, Devices: 2, Start: start, Password: covePassword})
	locked.Fault(covesim.Fault{Kind: covesim.Locked})
	r.accounts = append(r.accounts, account("locked", r.serve(locked)))
	odd := r.sim.Devices()[0]
	r.configure("config.yaml", imap(proxy.Addr(), server), sqlite("ledger.db"),
		fmt.Sprintf(`job: {name: '{{if eq .Device.ID "%d"}}{{index .Device.CustomerPath 99}}{{end}}{{.Device.Name}}'}`, odd.ID))
	cmd := r.run()
	r.settled()
	r.end(cmd)

	var failed []struct{ Run, Note string }
	if err := json.Unmarshal([]byte(r.output("history", "--json", "--limit", "0", "--state", "failed")), &failed); err != nil {
		t.Fatal(err)
	}
	var ids []string
	refused := 0
	for _, f := range failed {
		ids = append(ids, f.Run)
		switch {
		case strings.Contains(f.Note, "not this one, not ever"):
			refused++
		case !strings.Contains(f.Note, "job.name") || !strings.Contains(f.Run, fmt.Sprint("-", odd.ID, "-")):
			t.Errorf("%s failed: %s", f.Run, f.Note)
		}
	}
	if refused != 1 || len(ids) < 3 {
		t.Errorf("%d mails are refused of %d that failed", refused, len(ids))
	}
	if n := r.said(" is not polled any more"); n != 1 {
		t.Errorf("the locked account is told of %d times\n%s", n, r.log())
	}
	if n := r.counts()[ledger.Sent]; n < 50 {
		t.Errorf("only %d mails were sent beside those", n)
	}

	locked.ClearFaults()
	r.configure("config.yaml", imap(proxy.Addr(), server), sqlite("ledger.db"), "")
	for some := range slices.Chunk(ids, 50) {
		if out := r.output(append([]string{"resend"}, some...)...); strings.Count(out, " is queued again") != len(some) {
			t.Errorf("resend wrote\n%s", out)
		}
	}
	cmd = r.run()
	r.settled()
	r.wait("the account that is locked no more is polled", time.Minute, func() bool { return locked.Calls("EnumerateAccountStatistics") > 0 })
	r.settled()
	r.end(cmd)
	r.once(server, r.sim.Now().Add(-3*time.Hour))
}

// The product's clock jumps ahead and back while the program polls and is
// killed now and then.
func TestTortureClock(t *testing.T) {
	t.Parallel()
	server := dovecot.Start(t, dovecot.Options{})
	r := newRig(t, "")
	r.configure("config.yaml", imap(server.Addr, server), sqlite("ledger.db"), "")
	cmd := r.run()
	r.wait("the first poll", time.Minute, func() bool { return !r.polled().IsZero() })
	latest := r.sim.Now()
	for i := range times(10, 150) {
		r.sim.Advance(r.dice.upTo(4*time.Hour) - 90*time.Minute)
		if now := r.sim.Now(); now.After(latest) {
			latest = now
		}
		time.Sleep(200*time.Millisecond + r.dice.upTo(1500*time.Millisecond))
		if i%5 == 4 {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			cmd = r.run()
		}
		if i%50 == 49 {
			t.Logf("the clock jumped %d times, to %s", i+1, r.sim.Now().Format(time.DateTime))
		}
	}
	r.sim.Advance(latest.Sub(r.sim.Now()))
	r.settled()
	r.end(cmd)
	r.once(server, latest)
}
