package mailbox

import (
	"context"
	"fmt"
)

// Check connects, logs in and names sender and recipients, then takes that
// back: no mail is sent. It tells of each thing as soon as it is known.
func (m *SMTP) Check(ctx context.Context, report func(Finding)) {
	var c *smtpConn
	err := bounded(ctx, func(ctx context.Context) (err error) {
		c, err = m.dial(ctx)
		return err
	})
	if err != nil {
		report(toFinding("smtp "+m.o.Address+": connect and log in", m.fail(err)))
		return
	}
	defer c.close()
	who := "without a login"
	if m.o.Username != "" {
		who = "logged in as " + m.o.Username
	}
	report(Finding{What: fmt.Sprintf("smtp %s: %s, %s", m.o.Address, who, m.endpoint.describe())})
	if m.o.From != "" {
		m.checkEnvelope(ctx, c, report)
	}
	if m.o.Inbox != nil {
		m.o.Inbox.Check(ctx, report)
		return
	}
	report(Finding{
		What: "after a broken connection the mailbox can't be asked",
		Hint: "in that case a mail may come twice, with the same Message-ID; settings under delivery.imap beside smtp prevent it",
	})
}

// checkEnvelope tries sender and recipients as a mail would.
func (m *SMTP) checkEnvelope(ctx context.Context, c *smtpConn, report func(Finding)) {
	from, to, options, err := c.envelope(Mail{From: m.o.From, To: m.o.To})
	if err != nil {
		report(toFinding("sender and recipients", m.fail(err)))
		return
	}
	err = c.withTimeout(ctx, CheckTime, func() error { return c.Mail(from, options) })
	if err != nil {
		report(toFinding("sender "+from, m.fail(&stepError{"send as " + from, &addressError{err, hintSender}})))
		return
	}
	report(Finding{What: "sender " + from + ": accepted"})
	for _, to := range to {
		err := c.withTimeout(ctx, CheckTime, func() error { return c.Rcpt(to, nil) })
		if err != nil {
			report(toFinding("recipient "+to, m.fail(&stepError{"send to " + to, &addressError{err, hintTo}})))
			continue
		}
		report(Finding{What: "recipient " + to + ": accepted"})
	}
	c.withTimeout(ctx, CheckTime, c.Reset) // closing the connection takes it back as well
}
