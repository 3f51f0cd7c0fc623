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
	return c.enter(ctx, folder, true)
}

func (c *imapConn) enter(ctx context.Context, folder string, readOnly bool) (*imap.SelectData, error) {
	var box *imap.SelectData
	err := c.withTimeout(ctx, commandTimeout, func() error {
		return c.onFolder(folder, func() (err error) {
			box, err = c.Select(folder, &imap.SelectOptions{ReadOnly: readOnly}).Wait()
			return err
		})
	})
	return box, err
}

// status tells where the folder stands, and leaves none open: a server looks
// anew at the open folder after each mail that is put into it.
func (c *imapConn) status(ctx context.Context, folder string) (validity uint32, next imap.UID, err error) {
	err = c.withTimeout(ctx, commandTimeout, func() error {
		if c.Mailbox() != nil {
			c.UnselectAndExpunge() // removes nothing from what was opened for reading (RFC 9051 section 6.4.1)
		}
		return c.onFolder(folder, func() error {
			box, err := c.Status(folder, &imap.StatusOptions{UIDNext: true, UIDValidity: true}).Wait()
			validity, next = box.UIDValidity, box.UIDNext
			return err
		})
	})
	return validity, next, err
}

// onFolder runs a command on the folder, and looks whether that exists where the
// answer was a NO: servers say in many ways that it does not; the list is sure.
// Where it exists, the command is run once more, for another connection may have
// made the folder between the two.
func (c *imapConn) onFolder(folder string, command func() error) error {
	err := command()
	answer := new(imap.Error)
	if !errors.As(err, &answer) || transient(answer) || answer.Type == imap.StatusResponseTypeBad {
		return err
	}
	if there, listErr := c.lists(folder); listErr != nil {
		return listErr
	} else if !there {
		return fmt.Errorf("%w: %w", errNoFolder, err)
	}
	return command()
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
	return c.withTimeout(ctx, commandTimeout, func() error {
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
