package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"covebridge/bridge/message"
)

// page is what a browser shows of a preview: each mail's HTML part in a frame of
// its own, in which nothing runs, and its text part.
type page struct {
	Mails   []message.Content
	Live    bool // served, and loaded anew when Version changes
	Version int
	Wrong   string // why the mails are older than the templates; empty: they are not
	Mind    string // why the parser rule can't read one of them; empty: it can
}

var (
	//go:embed preview.html
	pageText     string
	pageTemplate = template.Must(template.New("preview.html").Parse(pageText))
)

// add adds a mail.
func (p *page) add(mail []byte) error {
	c, err := message.Read(bytes.NewReader(mail))
	if err != nil {
		return err
	}
	if err := message.Readable(mail); err != nil && p.Mind == "" {
		p.Mind = fmt.Sprintf("%s: %v", c.Subject, err)
	}
	p.Mails = append(p.Mails, c)
	return nil
}

func (p *page) render() ([]byte, error) {
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, p)
	return b.Bytes(), err
}

// write puts the page into a file of its own, which others can't read.
func (p *page) write() (path string, err error) {
	text, err := p.render()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "covebridge-preview-")
	if err != nil {
		return "", fmt.Errorf("make a folder for the preview: %w", err)
	}
	path = filepath.Join(dir, "mails.html")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return "", fmt.Errorf("write the preview: %w", err)
	}
	return path, nil
}

// browse opens a file or an address in the browser, and does not wait for it.
// Where that is not possible, it says so: the address was told.
func (a *app) browse(ctx context.Context, address string) {
	call := []string{"xdg-open"}
	switch runtime.GOOS {
	case "darwin":
		call = []string{"open"}
	case "windows":
		call = []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), call[0], append(call[1:], address)...) //nolint:gosec // a path or an address of our own
	if err := cmd.Start(); err != nil {
		fmt.Fprintf(a.errs, "no browser could be opened (%v): open it yourself\n", err)
		return
	}
	go cmd.Wait() //nolint:errcheck // whatever becomes of the browser is its user's to see
}
