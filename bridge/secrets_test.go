package bridge_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/ledger"
)

var visa = regexp.MustCompile(`"visa":"([^"]+)"`)

// visaRecorder keeps the visas that an API hands out.
type visaRecorder struct {
	http.Handler
	mu    sync.Mutex
	visas map[string]bool
}

func (o *visaRecorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.Handler.ServeHTTP(&secretLog{w, o}, r)
}

type secretLog struct {
	http.ResponseWriter
	*visaRecorder
}

func (l *secretLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	for _, m := range visa.FindAllSubmatch(p, -1) {
		l.visas[string(m[1])] = true
	}
	l.mu.Unlock()
	return l.ResponseWriter.Write(p)
}

// After a run of the real program with every kind of failure, no secret is in
// its logs, its output, its mails or its ledger.
func TestNoSecretGetsOut(t *testing.T) {
	t.Parallel()
	server := dovecot.Start(t, dovecot.Options{})
	r := newRig(t, ledger.Options{}, imapDelivery(server.Addr, server))
	var said bytes.Buffer
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command(r.program, append(args, "-c", filepath.Join(r.dir, "config.yaml"))...)
		cmd.Stdout, cmd.Stderr = &said, &said
		var exit *exec.ExitError
		if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
	}
	run("check")
	run("once")
	r.sim.Advance(2 * time.Hour)
	for _, f := range []covesim.Fault{
		{Kind: covesim.VisaExpired, Count: 3},
		{Kind: covesim.Denied, Method: "QuerySessions", Count: 2},
		{Kind: covesim.Garbled, Method: "GetAccountInfoById", Count: 1},
		{Kind: covesim.CutOff, Method: "EnumerateAccountStatistics", Count: 1},
		{Kind: covesim.HTML, Method: "EnumerateSessions", Count: 1},
	} {
		r.sim.Fault(f)
	}
	run("once")
	r.sim.Fault(covesim.Fault{Kind: covesim.Locked})
	r.sim.ExpireVisas()
	run("once")
	run("check", "--json")
	r.sim.ClearFaults()
	server.Stop()
	r.sim.Advance(2 * time.Hour)
	run("once")
	server.Start()
	config, err := os.ReadFile(filepath.Join(r.dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r.write("config.yaml", strings.Replace(string(config), server.Password, "wrong-imap-password", 1))
	run("once")
	run("check")
	r.write("config.yaml", strings.Replace(string(config), covePassword, "wrong-cove-password", 1))
	run("once")
	run("check")
	run("history", "--json", "--limit", "0")
	run("devices", "--json")
	sent := r.look()
	entries, err := sent.Entries(t.Context(), ledger.Query{State: backup.EntrySent})
	if err = errors.Join(err, sent.Close()); err != nil || len(entries) == 0 {
		t.Fatalf("%d mails were sent: %v", len(entries), err)
	}
	run("show", "--json", entries[0].Run.ID)

	places := map[string][]byte{"output": said.Bytes()}
	files, err := filepath.Glob(filepath.Join(r.dir, "ledger.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if places[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range server.Messages(t, "INBOX") {
		places["mail "+m.ID] = m.Bytes
	}
	// What the ledger holds is packed.
	l := r.look()
	defer l.Close()
	devices, err := l.Devices(t.Context())
	if err != nil || len(devices) == 0 {
		t.Fatalf("%d devices: %v", len(devices), err)
	}
	for _, d := range devices {
		record, err := l.Load(t.Context(), d.Key())
		if err != nil {
			t.Fatal(err)
		}
		places["journal of "+d.Key()] = fmt.Appendf(nil, "%+v", record)
	}
	for _, e := range entries {
		whole, events, err := l.Entry(t.Context(), e.Run.ID)
		if err != nil {
			t.Fatal(err)
		}
		places["entry "+e.Run.ID] = fmt.Appendf(nil, "%+v %+v %s", whole, events, whole.Mail)
	}
	secrets := map[string]string{"Cove password": covePassword, "IMAP password": server.Password, "wrong IMAP password": "wrong-imap-password", "wrong Cove password": "wrong-cove-password"}
	for _, d := range r.sim.Devices() {
		secrets["token of "+fmt.Sprint(d.ID)] = d.Token
	}
	for v := range r.visas {
		secrets["visa "+v] = v
	}
	if len(r.visas) < 3 {
		t.Errorf("only %d visas were overheard", len(r.visas))
	}
	for place, content := range places {
		for name, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("the %s is in %s", name, place)
			}
		}
	}
	for _, part := range []string{"refused", "FAILED", "check username"} {
		if !strings.Contains(said.String(), part) {
			t.Errorf("nothing failed as it should have: %q is not in\n%s", part, said.String())
		}
	}
}
