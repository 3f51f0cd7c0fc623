package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// errBrokenOff: whoever was asked typed Ctrl-C, or the program is to end.
var errBrokenOff = errors.New("broken off")

// questions are asked of a person.
type questions interface {
	// line asks for a text; Enter alone gives usual.
	line(prompt, usual string) (string, error)
	// secret asks for a text that is not shown as it is typed.
	secret(prompt string) (string, error)
	// say shows a line.
	say(line string)
}

// terminal asks on the terminal that the program was started from, which is in
// raw mode while an answer is typed, and at no other time.
type terminal struct {
	ctx context.Context
	out io.Writer
	*term.Terminal
}

func newTerminal(ctx context.Context, out io.Writer) *terminal {
	rw := struct {
		io.Reader
		io.Writer
	}{os.Stdin, out}
	t := &terminal{ctx, out, term.NewTerminal(rw, "")}
	if width, height, err := term.GetSize(int(os.Stdin.Fd())); err == nil && width > 0 {
		_ = t.SetSize(width, height) // it fails only where it can't write
	}
	return t
}

func (t *terminal) say(line string) { fmt.Fprintln(t.out, line) }

func (t *terminal) line(prompt, usual string) (string, error) {
	if usual != "" {
		prompt += " [" + usual + "]"
	}
	answer, err := t.read(func() (string, error) {
		t.SetPrompt(prompt + ": ")
		return t.ReadLine()
	})
	if answer = strings.TrimSpace(answer); answer == "" {
		answer = usual
	}
	return answer, err
}

func (t *terminal) secret(prompt string) (string, error) {
	return t.read(func() (string, error) { return t.ReadPassword(prompt + ": ") })
}

// read reads one answer. Ctrl-C and the end of the input come as io.EOF.
func (t *terminal) read(answer func() (string, error)) (string, error) {
	if t.ctx.Err() != nil {
		return "", errBrokenOff
	}
	before, err := term.MakeRaw(int(os.Stdin.Fd()))
	if err != nil {
		return "", fmt.Errorf("read from the terminal: %w", err)
	}
	type typed struct {
		text string
		err  error
	}
	done := make(chan typed, 1)
	go func() { text, err := answer(); done <- typed{text, err} }()
	var got typed
	select {
	case got = <-done:
	case <-t.ctx.Done(): // the program ends, and with it who waits for an answer
		got.err = io.EOF
	}
	err = term.Restore(int(os.Stdin.Fd()), before)
	if errors.Is(got.err, io.EOF) {
		t.say("")
		return "", errBrokenOff
	}
	return got.text, errors.Join(got.err, err)
}
