package covesim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// call is one JSON-RPC call.
type call struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Visa   string          `json:"visa"`
	Params json.RawMessage `json:"params"`

	now    time.Time
	header http.Header
	host   string // of the node, where the path tells
	fresh  string // visa that the reply carries
}

// object is a JSON object.
type object = map[string]any

// rpcError is what goes wrong; number is Cove's own.
type rpcError struct {
	code, number int
	message      string
}

func (e *rpcError) Error() string { return e.message }

// The errors of the Cove API document.
var (
	errLogin    = &rpcError{-32603, 2100, "Unknown partner/username or bad password."}
	errLocked   = &rpcError{-32603, 2100, "The user is locked because of too many bad logins. Unknown partner/username or bad password."}
	errVisa     = &rpcError{-32603, 1701, "Visa is inconsistent/corrupted."}
	errDenied   = &rpcError{-32603, 13501, "Operation failed because of security reasons."}
	errTooMany  = &rpcError{-32603, 14409, "Too many logins at the same time."}
	errNotFound = &rpcError{code: -32601, message: "Method not found."}
	errParams   = &rpcError{code: -32602, message: "Invalid params."}
	errInternal = &rpcError{code: -32603, message: "Internal error."}
)

// inner wraps a result as all of Cove's methods do.
func inner(result any) object { return object{"result": result} }

// params reads the call's parameters into a T.
func params[T any](c *call) (T, error) {
	var p T
	if json.Unmarshal(c.Params, &p) != nil {
		return p, errParams
	}
	return p, nil
}

// maxCall is more than any call needs.
const maxCall = 1 << 20

// serve makes a handler of a service: a function from a call to its result.
func (s *Sim) serve(service func(*http.Request, *call) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{now: s.Now(), header: r.Header, host: strings.ToLower(r.PathValue("host"))}
		body, err := io.ReadAll(io.LimitReader(r.Body, maxCall))
		if err == nil {
			err = json.Unmarshal(body, c)
		}
		s.calls.add(c.Method)
		fault := s.faults.next(s.traits(r, c))
		if !fault.before(w, r) {
			return
		}
		var result any
		switch {
		case err != nil:
			err = &rpcError{code: -32700, message: "Parse error."}
		case fault.err() != nil:
			err = fault.err()
		default:
			result, err = service(r, c)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		fault.write(w, s.reply(c, result, err))
	}
}

// reply is the body of the answer.
func (s *Sim) reply(c *call, result any, err error) []byte {
	reply := object{"jsonrpc": "2.0", "id": c.ID}
	if c.fresh != "" {
		reply["visa"] = c.fresh
	}
	if err == nil {
		reply["result"] = result
	} else {
		var told *rpcError
		if !errors.As(err, &told) {
			panic(err) // a method gives no others
		}
		reply["error"] = s.errorMember(told)
	}
	body, err := json.Marshal(reply)
	if err != nil { // an id that is no JSON can't be here: the call was parsed
		panic(err)
	}
	return body
}

// errorMember spells an error. Some clients saw Cove's number as the code.
func (s *Sim) errorMember(e *rpcError) object {
	switch {
	case e.number == 0:
		return object{"code": e.code, "message": e.message}
	case s.options.Without&ErrorNumbers == 0 && s.errors.Add(1)%3 == 0:
		return object{"code": e.number, "message": e.message}
	}
	return object{"code": e.code, "data": e.number, "message": e.message}
}

// callCount counts the calls of each method.
type callCount struct {
	mu sync.Mutex
	of map[string]int
}

func (c *callCount) add(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[method]++
}

// Calls tells how often a method was called, whatever it answered.
func (s *Sim) Calls(method string) int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return s.calls.of[method]
}
