package mailbox

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// errNoFolder: the server says that it has no such folder.
var errNoFolder = errors.New("the folder is missing")

// examine opens the folder for reading, which changes nothing in it.
func (c *imapConn) examine(ctx context.Context, folder string) (*imap.SelectData, error) {
	var box *imap.SelectData
	err := c.within(ctx, commandTimeout, func() (err error) {
		box, err = c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
		if answer := new(imap.Error); !errors.As(err, &answer) || transient(answer) || answer.Type == imap.StatusResponseTypeBad {
			return err
		}
		// Servers say in many ways that a folder is missing; the list is sure.
		if there, listErr := c.lists(folder); listErr != nil {
			return listErr
		} else if !there {
			return fmt.Errorf("%w: %w", errNoFolder, err)
		}
		return err
	})
	return box, err
}

// lists tells whether the folder exists.
func (c *imapConn) lists(folder string) (bool, error) {
	found, err := c.List("", folder, nil).Collect()
	if err != nil {
		return false, err
	}
	for _, f := range found {
		gone := false
		for _, attr := range f.Attrs {
			gone = gone || attr == imap.MailboxAttrNonExistent || attr == imap.MailboxAttrNoSelect
		}
		if !gone && (f.Mailbox == folder || strings.EqualFold(folder, "INBOX") && strings.EqualFold(f.Mailbox, folder)) {
			return true, nil
		}
	}
	return false, nil
}

// create makes the folder and subscribes to it, so that mail programs show it.
func (c *imapConn) create(ctx context.Context, folder string) error {
	return c.within(ctx, commandTimeout, func() error {
		err := c.Create(folder, nil).Wait()
		if answer := new(imap.Error); errors.As(err, &answer) && answer.Code == imap.ResponseCodeAlreadyExists {
			err = nil // another connection was first
		}
		if err == nil {
			c.Subscribe(folder).Wait() // only a convenience
		}
		return err
	})
}
