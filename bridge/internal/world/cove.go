package world

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// script is a Cove that shows a plan's devices as they stand, in the shapes of
// the Cove API document. It is an http.RoundTripper for one bridge's client.
type script struct {
	Plan
	epoch        time.Time
	*processLife // of the bridge that asks

	asked *callCounter
}

// callCounter counts the histories asked for, by device.
type callCounter struct {
	mu    sync.Mutex
	calls map[int]int
}

func (a *callCounter) count(device int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls[device]++
}

type object = map[string]any

// now is the time since the world began.
func (s *script) now() time.Duration { return time.Since(s.epoch) }

// latency is how long a call takes.
const latency = 80 * time.Millisecond

// RoundTrip answers one call.
func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := s.pass(r.Context(), latency); err != nil {
		return nil, err
	}
	if s.during(CoveAway, -1) {
		return s.reply(http.StatusServiceUnavailable, nil)
	}
	if r.Method == http.MethodGet {
		return s.reply(http.StatusOK, object{"data": s.dashboard()})
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var call struct {
		Method string
		Params json.RawMessage
	}
	if err := json.Unmarshal(body, &call); err != nil {
		return nil, err
	}
	result, status := s.answer(call.Method, call.Params)
	if result == nil {
		return s.reply(status, nil)
	}
	return s.reply(status, object{"jsonrpc": "2.0", "id": "1", "visa": "1-2-3-946684800-ABCDEF0123", "result": result})
}

// reply is an HTTP answer; nil: without a body.
func (s *script) reply(status int, content object) (*http.Response, error) {
	var body []byte
	if content != nil {
		var err error
		if body, err = json.Marshal(content); err != nil {
			return nil, err
		}
	}
	date := time.Now()
	if s.during(DateOff, -1) {
		date = date.Add(7 * 24 * time.Hour)
	}
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
		Header: http.Header{"Date": {date.UTC().Format(http.TimeFormat)}, "Content-Type": {"application/json"}},
	}, nil
}

// during tells whether there is such trouble now, with that device; -1: any.
func (p Plan) during(now time.Duration, kind Trouble, device int) bool {
	for _, e := range p.Episodes {
		if e.Kind == kind && e.From <= now && now < e.To && (device < 0 || device == e.Device) {
			return true
		}
	}
	return false
}

func (s *script) during(kind Trouble, device int) bool { return s.Plan.during(s.now(), kind, device) }

func (s *script) answer(method string, raw json.RawMessage) (result any, status int) {
	var p params
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, http.StatusBadRequest
	}
	device := int(p.AccountID) - firstID
	if p.AccountToken != "" {
		_, _ = fmt.Sscanf(p.AccountToken, "token-of-device-%d", &device)
	}
	switch method {
	case "Login":
		return object{"result": object{"Id": 3, "PartnerId": rootID, "Name": "Root"}}, http.StatusOK
	case "EnumeratePartners":
		return object{"result": s.customers()}, http.StatusOK
	case "EnumerateAccountStatistics":
		return s.statistics(p.Query)
	case "GetAccountInfoById":
		return object{
			"result":       object{"Id": p.AccountID, "Name": s.name(device), "Token": fmt.Sprintf("token-of-device-%d", device)},
			"homeNodeInfo": object{"CommonInfo": object{"Host": fmt.Sprintf("node%d.cloudbackup.management:443", device%2)}},
		}, http.StatusOK
	}
	if s.during(NodeAway, device) || device < 0 || device >= len(s.Devices) {
		return nil, http.StatusBadGateway
	}
	switch method {
	case "QuerySessions", "EnumerateSessions":
		s.asked.count(device)
		return s.history(device, p), http.StatusOK
	case "QueryErrors", "EnumerateSessionErrors":
		if s.during(NoTexts, device) {
			return nil, http.StatusInternalServerError
		}
		return s.texts(device, p), http.StatusOK
	}
	return nil, http.StatusNotFound
}

// params are those of all calls.
type params struct {
	AccountID      int64 `json:"accountId"`
	AccountToken   string
	DataSourceType string
	SessionID      int64 `json:"sessionId"`
	Range          struct{ Offset, Size int }
	Filter         json.RawMessage
	Query          json.RawMessage
}

const (
	rootID  = 7
	firstID = 1000 // of the devices
)

func (s *script) name(device int) string { return fmt.Sprintf("srv%02d_ab12c", device) }

// customer gives the device's customer as it is now.
func (s *script) customer(device int) (id int64, name string) {
	id = 50
	for _, c := range s.Changes {
		if c.Kind == Moved && c.Device == device && c.At <= s.now() {
			id = 51
		}
	}
	name = map[int64]string{50: "Acme BV", 51: "Bolt BV"}[id]
	for _, c := range s.Changes {
		if c.Kind == Renamed && c.At <= s.now() {
			name += " Holding"
		}
	}
	return id, name
}

func (s *script) customers() (all []object) {
	return []object{
		{"Id": rootID, "Name": "Root", "ParentId": 0}, {"Id": 50, "Name": "Acme BV", "ParentId": rootID}, {"Id": 51, "Name": "Bolt BV", "ParentId": rootID},
	}
}

// processLife is that of one bridge: whatever reaches out of it goes through here.
type processLife struct {
	mu     sync.Mutex
	dead   bool
	paused chan struct{} // closed when it goes on; nil: it runs
}

var errDead = errors.New("the process is dead")

// pass lets a bridge that lives pass after a while.
func (l *processLife) pass(ctx context.Context, after time.Duration) error {
	if err := sleep(ctx, after); err != nil {
		return err
	}
	for {
		l.mu.Lock()
		dead, paused := l.dead, l.paused
		l.mu.Unlock()
		if dead {
			return errDead
		}
		if paused == nil {
			return nil
		}
		<-paused
	}
}

func (l *processLife) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
	if l.paused != nil {
		close(l.paused)
		l.paused = nil
	}
}

func (l *processLife) pause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paused == nil {
		l.paused = make(chan struct{})
	}
}

func (l *processLife) resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paused != nil {
		close(l.paused)
		l.paused = nil
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
