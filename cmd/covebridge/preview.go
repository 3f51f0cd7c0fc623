package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"covebridge/bridge/backup"

	"github.com/spf13/cobra"

	"covebridge/bridge"
	"covebridge/bridge/mailbox"
	"covebridge/bridge/message"
)

func newPreview(a *app) *cobra.Command {
	var out, device string
	var most int
	var open, watch bool
	c := &cobra.Command{
		Use:   "preview",
		Short: "Show or write the mails; send and record nothing",
		Long: `Poll Cove and show the mails that a first start would deliver, those of the last
poll.backfill, without sending or recording anything. With --out they are
written as .eml files, for any mail program to open. With --limit it stops asking
Cove once it has so many.

--open shows them in the browser. --watch serves them to this machine's browser,
rendered anew each time a template in mail.templates is saved, until Ctrl-C.`,
		Example: `  covebridge preview --limit 3
  covebridge preview --out mails --device srv01
  covebridge preview --watch --open --limit 20`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out != "" && (open || watch) {
				return usageError{errors.New("--out writes the mails and shows none: leave out --open and --watch, or --out")}
			}
			c, log, err := a.load()
			if err != nil {
				return err
			}
			if watch && c.Mail.Templates == "" {
				return usageError{errNoTemplates}
			}
			c.Ledger.SQLite, c.Ledger.Postgres = ":memory:", ""
			b, err := a.bridge(cmd.Context(), c, log)
			if err != nil {
				return err
			}
			defer b.Close()
			var dir *mailbox.Directory
			if out != "" {
				if err := os.MkdirAll(out, 0o700); err != nil {
					return fmt.Errorf("make the folder for the mails: %w", err)
				}
				dir = mailbox.NewDirectory(out)
			}
			progress := a.progress("devices", "asking Cove")
			defer progress.end()
			b.OnProgress(progress.update)
			shown := 0
			var runs []backup.Run
			var p page
			err = b.Preview(cmd.Context(), bridge.PreviewOptions{Device: device, Limit: most}, func(e backup.Entry) error {
				shown++
				switch {
				case watch:
					runs = append(runs, e.Run)
					return nil
				case open:
					return p.add(e.Mail)
				case dir == nil:
					return a.preview(e)
				}
				mail := mailbox.Mail{MessageID: e.MessageID, Date: e.Run.End, Bytes: e.Mail}
				return dir.Deliver(cmd.Context(), []mailbox.Mail{mail}, func(string) error { return nil })[0].Err
			})
			progress.end()
			if err != nil {
				return err
			}
			where := "shown"
			switch {
			case watch:
				return a.watchTemplates(cmd.Context(), c, runs, open)
			case open:
				path, err := p.write()
				if err != nil {
					return err
				}
				a.browse(cmd.Context(), path)
				where = "written to " + path
			case dir != nil:
				where = "written to " + filepath.Clean(out)
			}
			more := ""
			if shown == most && most > 0 {
				more = " (there may be more; oldest first only without --limit)"
			}
			fmt.Fprintf(a.errs, "%s %s%s; nothing was sent or recorded\n", plural(shown, "mail", "mails"), where, more)
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "write the mails as .eml files into this folder")
	c.Flags().StringVar(&device, "device", "", "only devices with this in their name")
	c.Flags().Var(limit{&most}, "limit", "at most so many; 0: all")
	c.Flags().BoolVar(&open, "open", false, "show the mails in the browser")
	c.Flags().BoolVar(&watch, "watch", false, "serve the mails to the browser, anew each time a template is saved")
	return c
}

func (a *app) preview(e backup.Entry) error {
	mail, err := message.Read(bytes.NewReader(e.Mail))
	if err != nil {
		return errors.Join(fmt.Errorf("read the mail of %s", e.Run.ID), err)
	}
	_, err = fmt.Fprintf(a.out, "%s\n%s\n", strings.Repeat("─", 72), printable(mail.String()))
	return err
}
