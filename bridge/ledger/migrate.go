package ledger

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/0*.sql
var migrations embed.FS

// versionTable is the table that goose keeps; what has it is a ledger.
const versionTable = "ledger_version"

// refuseForeign refuses an SQLite file that another program keeps something in. It looks
// before anything is written: even the journal mode would change the file.
func (l *Ledger) refuseForeign(ctx context.Context) error {
	if l.path == "" {
		return nil
	}
	var tables, own int
	err := l.reader.db.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (WHERE name = ?) FROM sqlite_master", versionTable).Scan(&tables, &own)
	if err == nil && tables > 0 && own == 0 {
		err = fmt.Errorf("%w: name another file with ledger.sqlite", ErrForeign)
	}
	return err
}

// migrate brings the schema up to date.
func (l *Ledger) migrate(ctx context.Context) error {
	p, err := l.provider()
	if err != nil {
		return err
	}
	if done, err := upToDate(ctx, p); done || err != nil {
		return err
	}
	up := p
	if l.dialect.goose == goose.DialectPostgres { // several bridges may be started at once
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60), lock.WithUnlockTimeout(1, 60))
		if err != nil {
			return err
		}
		if up, err = l.provider(goose.WithSessionLocker(locker)); err != nil {
			return err
		}
	}
	for {
		before, err := p.GetDBVersion(ctx)
		if err != nil {
			return err
		}
		_, err = up.Up(ctx)
		if err == nil {
			return nil
		}
		// Another program that started at the same moment may have done it, or
		// be at it.
		if done, _ := upToDate(ctx, p); done {
			return nil
		}
		if after, _ := p.GetDBVersion(ctx); after > before {
			continue
		}
		return fmt.Errorf("bring the schema up to date: %w", err)
	}
}

func (l *Ledger) provider(options ...goose.ProviderOption) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(l.dialect.goose, l.writer.db, dir, append(options, goose.WithTableName(versionTable),
		goose.WithGoMigrations(goose.NewGoMigration(2, &goose.GoFunc{RunTx: l.migrateJournals}, nil)),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))...)
}

// upToDate tells whether the schema is the one this program knows.
func upToDate(ctx context.Context, p *goose.Provider) (bool, error) {
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return false, err
	}
	sources := p.ListSources()
	knows := sources[len(sources)-1].Version
	if has > knows {
		return false, fmt.Errorf("%w (schema %d, this one knows %d): install the newer version, or give this one a ledger of its own", ErrNewer, has, knows)
	}
	return has == knows, nil
}
