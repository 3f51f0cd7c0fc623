package mailbox

import (
	"context"
	"fmt"
)

// Check connects, logs in and names sender and recipients, then takes that
// back: no mail is sent. The error is ctx's, if that ended it; what is wrong
// is in the findings.
func (m *SMTP) Check(ctx context.Context) ([]Finding, error) {
	c, err := m.dial(ctx)
	if err != nil {
		return []Finding{finding("smtp "+m.o.Address+": connect and log in", m.fail(err))}, ctx.Err()
	}
	defer c.close()
	who := "without a login"
	if m.o.Username != "" {
		who = "logged in as " + m.o.Username
	}
	findings := []Finding{{What: fmt.Sprintf("smtp %s: %s, %s", m.o.Address, who, m.end.describe())}}
	if m.o.From != "" {
		findings = append(findings, m.checkEnvelope(ctx, c)...)
	}
	if m.o.Ask == nil {
		return append(findings, Finding{
			What: "after a broken connection the mailbox can't be asked",
			Hint: "in that case a mail may come twice, with the same Message-ID; settings under delivery.imap beside smtp prevent it",
		}), ctx.Err()
	}
	asked, err := m.o.Ask.Check(ctx)
	return append(findings, asked...), err
}

// checkEnvelope tries sender and recipients as a mail would.
func (m *SMTP) checkEnvelope(ctx context.Context, c *smtpConn) []Finding {
	from, to, options, err := c.envelope(Mail{From: m.o.From, To: m.o.To})
	if err != nil {
		return []Finding{finding("sender and recipients", m.fail(err))}
	}
	err = c.within(ctx, commandTimeout, func() error { return c.Mail(from, options) })
	if err != nil {
		return []Finding{finding("sender "+from, m.fail(&stepError{"send as " + from, err}))}
	}
	findings := []Finding{{What: "sender " + from + ": accepted"}}
	for _, to := range to {
		err := c.within(ctx, commandTimeout, func() error { return c.Rcpt(to, nil) })
		if err != nil {
			findings = append(findings, finding("recipient "+to, m.fail(&stepError{"send to " + to, err})))
			continue
		}
		findings = append(findings, Finding{What: "recipient " + to + ": accepted"})
	}
	c.within(ctx, commandTimeout, c.Reset) // closing the connection takes it back as well
	return findings
}
