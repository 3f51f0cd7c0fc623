package cove

import (
	"context"
	"math"
	"time"

	"covebridge/bridge/backup"
)

// m365Sessions reads a Microsoft 365 tenant's history from the reporting
// service, for all its data sources. Only finished sessions are listed.
func (c *Client) m365Sessions(ctx context.Context, d backup.Device, since, until time.Time) (sessions []backup.Session, err error) {
	filter := map[string]any{"SessionTypes": []string{"Backup"}, "CreatedAfter": max(since.Unix(), 0)}
	if types := m365Asked(c.sourcesOf(d)); len(types) > 0 {
		filter["DataSources"] = types
	}
	filter["CreatedBefore"] = until.Unix()
	if until.IsZero() {
		// As late as 32 bits can tell: whose clock is off must not hide a session.
		filter["CreatedBefore"] = max(math.MaxInt32, c.Now().AddDate(1, 0, 0).Unix())
	}
	err = c.withAccount(ctx, d, func(a account) error {
		read := func(offset int) (p historyPage, err error) {
			answer, err := c.atReporting(ctx, a, "EnumerateSessions", map[string]any{
				"filter": filter, "range": span{offset, m365Range},
			}, decodeRows(&p.rows, m365Range, &p.more))
			p.at = answer.serverTime
			return p, err
		}
		sessions, err = c.history(ctx, d, since, until, m365Range, read)
		return err
	})
	return sessions, err
}

// m365Asked gives the tenant's data sources, as the reporting service calls
// them: all that are known where statistics told of none, and none, which is
// any, where there is one that no table has.
func m365Asked(p sourceSet) (types []string) {
	for _, s := range []source{m365Exchange, m365OneDrive, m365SharePoint, m365Teams} {
		if p.has(s) || p == (sourceSet{}) {
			types = append(types, m365Types[s])
		}
	}
	if len(p.unclaimed()) > 0 {
		return nil
	}
	return types
}

// atReporting calls a method of the reporting service, which takes the visa in
// a header.
func (c *Client) atReporting(ctx context.Context, a account, method string, params map[string]any, decode func(*decoder) error) (reply, error) {
	params["accountToken"] = a.token
	return c.call(ctx, request{url: c.ReportingURL, method: method, params: params, auth: authBearer, tries: 3, rows: m365Range}, decode)
}

// m365Type is what the reporting service calls a data source; one that no
// table has goes by the name it came with.
func m365Type(s backup.DataSource) string {
	for src, name := range m365Types {
		if src.String() == s.Key {
			return name
		}
	}
	return s.Name
}
