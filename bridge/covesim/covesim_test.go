package covesim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// plain is a client that does as the Cove API document says.
type plain struct {
	*Sim
	t    *testing.T
	url  string
	visa string
}

func start(t *testing.T, o Options) *plain {
	if o.Start.IsZero() {
		o.Start = monday
	}
	s := New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return &plain{Sim: s, t: t, url: server.URL}
}

type reply struct {
	ID     any
	Visa   string
	Result struct {
		Result            json.RawMessage
		HomeNodeInfo      struct{ CommonInfo struct{ Host string } }
		TotalRecordsCount *int
		TotalStatistics   []map[string]string
	}
	Error *struct {
		Code, Data int
		Message    string
	}
	status int
	date   string
}

// number is Cove's number of the error, wherever it stands.
func (r reply) number() int {
	switch {
	case r.Error == nil:
		return 0
	case r.Error.Data != 0:
		return r.Error.Data
	}
	return r.Error.Code
}

// post sends a body and fails the test where no JSON comes back.
func (p *plain) post(path string, header http.Header, body any) reply {
	p.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := p.try(path, header, text)
	if err != nil {
		p.t.Fatalf("%s: %v", text, err)
	}
	return r
}

func (p *plain) try(path string, header http.Header, body []byte) (r reply, err error) {
	request, err := http.NewRequest("POST", p.url+path, bytes.NewReader(body))
	if err != nil {
		return r, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return r, err
	}
	defer response.Body.Close()
	r.status, r.date = response.StatusCode, response.Header.Get("Date")
	return r, json.NewDecoder(response.Body).Decode(&r)
}

// call calls a method of /jsonapi, logged in.
func (p *plain) call(method string, params any) reply {
	p.t.Helper()
	if p.visa == "" {
		r := p.login("api-user", "covesim", "")
		if r.Error != nil {
			p.t.Fatal(r.Error)
		}
		p.visa = r.Visa
	}
	r := p.post("/jsonapi", nil, object{"jsonrpc": "2.0", "id": "1", "visa": p.visa, "method": method, "params": params})
	if r.Visa != "" {
		p.visa = r.Visa
	}
	return r
}

func (p *plain) login(user, password, partner string) reply {
	p.t.Helper()
	params := object{"username": user, "password": password}
	if partner != "" {
		params["partner"] = partner
	}
	return p.post("/jsonapi", nil, object{"jsonrpc": "2.0", "id": "1", "method": "Login", "params": params})
}

type row struct {
	AccountId, PartnerId int64
	Flags                any
	Settings             []map[string]any
}

// setting gives a column of the row, under exactly that name.
func (r row) setting(name string) any {
	for _, s := range r.Settings {
		if v, ok := s[name]; ok {
			return v
		}
	}
	return nil
}

func (p *plain) statistics(query object) (rows []row, r reply) {
	p.t.Helper()
	if query["PartnerId"] == nil {
		query["PartnerId"] = rootID
	}
	r = p.call("EnumerateAccountStatistics", object{"query": query})
	if r.Error != nil {
		p.t.Fatalf("%v: %+v", query, *r.Error)
	}
	read(p.t, r, &rows)
	return rows, r
}

func read(t *testing.T, r reply, into any) {
	t.Helper()
	if err := json.Unmarshal(r.Result.Result, into); err != nil {
		t.Fatalf("%s: %v", r.Result.Result, err)
	}
}
