package message

import (
	"errors"
	"fmt"
	"io"
	"strings"

	_ "github.com/emersion/go-message/charset" // mails read back may be in any
	"github.com/emersion/go-message/mail"
)

// Content is a mail as a person reads it.
type Content struct {
	From, To, Date, Subject string
	Text                    string // the text part, lines ended by LF
	HTML                    string // the part that follows it; empty: there is none
}

// Read reads a mail back. What it gives of texts from outside is not made safe
// for a terminal.
func Read(r io.Reader) (c Content, err error) {
	mr, err := mail.CreateReader(r)
	if err != nil {
		return c, fmt.Errorf("read mail: %w", err)
	}
	defer mr.Close()
	for key, value := range map[string]*string{"From": &c.From, "To": &c.To, "Date": &c.Date, "Subject": &c.Subject} {
		if *value, err = mr.Header.Text(key); err != nil {
			return c, fmt.Errorf("read mail: %s: %w", key, err)
		}
	}
	if c.Text, err = readPart(mr); err != nil {
		return c, fmt.Errorf("read mail: text part: %w", err)
	}
	if c.HTML, err = readPart(mr); err != nil && !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("read mail: HTML part: %w", err)
	}
	return c, nil
}

// readPart reads the next part of a mail; io.EOF: there is none.
func readPart(mr *mail.Reader) (string, error) {
	part, err := mr.NextPart()
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(part.Body)
	return strings.ReplaceAll(string(text), "\r\n", "\n"), err
}

// String gives the headers that a mail program shows, and the text.
func (c Content) String() string {
	return fmt.Sprintf("From: %s\nTo: %s\nDate: %s\nSubject: %s\n\n%s", c.From, c.To, c.Date, c.Subject, c.Text)
}
