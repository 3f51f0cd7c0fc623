package ledger

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
)

// statements are the queries of one database, each prepared once. There are
// only so many texts: what varies is an argument.
type statements struct {
	db     *sql.DB
	mu     sync.Mutex
	ready  map[string]*sql.Stmt
	wanted map[string]bool
}

func newStatements(db *sql.DB) *statements {
	return &statements{db: db, ready: map[string]*sql.Stmt{}, wanted: map[string]bool{}}
}

// get gives the query outside any transaction.
func (s *statements) get(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	known := s.ready[query]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	// The lock is not held meanwhile: a transaction that has the only connection
	// may want it.
	st, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known = s.ready[query]; known != nil {
		return known, st.Close()
	}
	s.ready[query] = st
	return st, nil
}

// within gives the query inside the transaction. One that is new is prepared
// for this transaction alone, which may have the only connection; prepare
// makes up for it afterwards.
func (s *statements) within(ctx context.Context, tx *sql.Tx, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	st := s.ready[query]
	if st == nil {
		s.wanted[query] = true
	}
	s.mu.Unlock()
	if st == nil {
		return tx.PrepareContext(ctx, query)
	}
	return tx.StmtContext(ctx, st), nil
}

// prepare prepares what transactions wanted. What fails, fails again where it
// is used.
func (s *statements) prepare(ctx context.Context) {
	s.mu.Lock()
	wanted := slices.Collect(maps.Keys(s.wanted))
	clear(s.wanted)
	s.mu.Unlock()
	for _, query := range wanted {
		if _, err := s.get(ctx, query); err != nil {
			return
		}
	}
}
