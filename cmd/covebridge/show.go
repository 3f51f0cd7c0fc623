package main

import (
	"bytes"
	"fmt"

	"covebridge/bridge/backup"

	"github.com/spf13/cobra"

	"covebridge/bridge/ledger"
	"covebridge/bridge/message"
)

func newShow(a *app) *cobra.Command {
	var raw bool
	c := &cobra.Command{
		Use:   "show RUN",
		Short: "Show one run: its mail, and everything that was done with it",
		Long: `Show one run: what was done with it and when, and its mail. RUN is its name as
"covebridge history" lists it, the beginning of that, or the Message-ID.`,
		Example: `  covebridge show cove-1234567-20261124T020013Z
  covebridge show cove-1234567-20261124T020013Z --raw > mail.eml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, done, err := a.ledger(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			e, events, err := l.Entry(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			switch {
			case raw:
				_, err := a.out.Write(e.Mail)
				return err
			case a.json:
				return a.printJSON(shown{e.Run.ID, e.State, e.Reason, e.MessageID, e.Receipt, e.Attempts, e.Run, events})
			}
			return a.show(e, events)
		},
	}
	c.Flags().BoolVar(&raw, "raw", false, "write the mail as it is stored, to be saved as .eml")
	a.jsonFlag(c)
	return c
}

// shown is the JSON form.
type shown struct {
	Run       string            `json:"run"`
	State     backup.EntryState `json:"state"`
	Reason    string            `json:"reason,omitempty"`
	MessageID string            `json:"message_id"`
	Receipt   string            `json:"receipt,omitempty"`
	Attempts  int               `json:"attempts"`
	Details   any               `json:"details"`
	Events    []ledger.Event    `json:"events"`
}

func (a *app) show(e backup.Entry, events []ledger.Event) error {
	fmt.Fprintf(a.out, "Run         %s\nMail        %s\nMessage-ID  <%s>\n", e.Run.ID, e.State, e.MessageID)
	if e.Reason != "" {
		fmt.Fprintf(a.out, "Reason      %s\n", printable(e.Reason))
	}
	if !e.Next.IsZero() && e.State == backup.EntryQueued {
		fmt.Fprintf(a.out, "Next try    %s\n", a.clock(e.Next))
	}
	fmt.Fprintln(a.out)
	t := a.table("At", "What", "Detail")
	for _, ev := range events {
		t.row(ev.At, ev.What, ev.Detail)
	}
	if err := t.write(); err != nil {
		return err
	}
	if len(e.Mail) == 0 {
		return nil
	}
	mail, err := message.Read(bytes.NewReader(e.Mail))
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\n%s\n", printable(mail.String()))
	return nil
}
