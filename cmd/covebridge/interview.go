package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"strings"

	"covebridge/bridge"
	"covebridge/bridge/config"
	"covebridge/bridge/mailbox"
)

// trying is what is told while the answers are tried.
const trying = "trying it"

// interview asks a person for what a configuration needs. After the first error
// nothing more is asked.
type interview struct {
	questions
	form   []byte         // the configuration to fill in
	usual  *config.Config // what it says as it is
	values map[string]any // what was answered, as config.Fill takes it
	report *checkReport   // of the logins that are tried
	err    error
}

// run gives the configuration with the answers in it.
func (i *interview) run(ctx context.Context) ([]byte, error) {
	i.values = map[string]any{}
	if i.usual, i.err = i.parse(); i.err != nil {
		return nil, i.err
	}
	i.say("\nCove")
	i.untilGood(ctx, i.cove, func(ctx context.Context, sources []bridge.Source, _ bridge.Mailbox) {
		bounded, cancel := context.WithTimeout(ctx, mailbox.CheckTime)
		defer cancel()
		what, err := sources[0].Check(bounded)
		if err != nil {
			what = "log in and read a device"
		}
		if ctx.Err() == nil {
			i.report.found("cove", mailbox.Finding{What: what, Err: err})
		}
	})
	i.say("\nMails")
	i.mails()
	i.say("\nMailbox")
	i.untilGood(ctx, i.mailbox, func(ctx context.Context, _ []bridge.Source, box bridge.Mailbox) {
		box.Check(ctx, func(f mailbox.Finding) {
			i.report.found("mailbox", f)
			i.report.begin(trying) // what comes next
		})
	})
	if i.err != nil {
		return nil, i.err
	}
	return config.Fill(i.form, i.values)
}

// untilGood asks, and tries what was answered, until nothing fails or it is to
// stay as it is.
func (i *interview) untilGood(ctx context.Context, ask func(), try func(context.Context, []bridge.Source, bridge.Mailbox)) {
	for i.err == nil {
		if ask(); i.err != nil {
			return
		}
		i.report.failed = false
		i.report.begin(trying)
		if err := i.try(ctx, try); err != nil {
			i.report.found("settings", mailbox.Finding{What: "the answers", Err: err})
		}
		i.report.stop()
		if ctx.Err() != nil {
			i.err = errBrokenOff
		}
		if i.err != nil || !i.report.failed || !i.confirm("Answer again? With no, it stays as it is", true) {
			return
		}
	}
}

func (i *interview) try(ctx context.Context, try func(context.Context, []bridge.Source, bridge.Mailbox)) error {
	c, err := i.parse()
	if err != nil {
		return err
	}
	sources, box, err := bridge.Endpoints(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer box.Close()
	try(ctx, sources, box)
	return nil
}

// parse reads the configuration as it is by now. What was not asked for yet has
// the example's values, and what that takes from elsewhere is made up.
func (i *interview) parse() (*config.Config, error) {
	text, err := config.Fill(i.form, i.values)
	if err != nil {
		return nil, err
	}
	return config.Parse("answers", text, config.Env{
		Lookup: func(string) (string, bool) { return "unknown", true },
		Read:   func(string) ([]byte, fs.FileMode, error) { return []byte("unknown"), 0o600, nil },
	})
}

// ask asks for a key's value until it can be one. Enter alone gives what was
// answered before, or else usual.
func (i *interview) ask(key, prompt, usual string) {
	if before, ok := i.values[key].(string); ok {
		usual = before
	}
	i.until(key, func() (any, error) { return i.line(prompt, usual) })
}

// askList asks for one text or several, with commas between them.
func (i *interview) askList(key, prompt string) {
	i.until(key, func() (any, error) {
		answer, err := i.line(prompt, "")
		var list []string
		for text := range strings.SplitSeq(answer, ",") {
			if text = strings.TrimSpace(text); text != "" {
				list = append(list, text)
			}
		}
		return list, err
	})
}

// askSecret asks for a secret, which is then in the configuration and in no file
// of its own. Enter alone gives what was answered before.
func (i *interview) askSecret(key, prompt string) {
	before, again := i.values[key].(string)
	if prompt += ", not shown"; again {
		prompt += " [as before]"
	}
	i.values[key+"_file"] = nil
	i.until(key, func() (any, error) {
		answer, err := i.secret(prompt)
		if answer == "" {
			answer = before
		}
		return answer, err
	})
}

// until asks until nothing is wrong with the key's value.
func (i *interview) until(key string, answer func() (any, error)) {
	for i.err == nil {
		var value any
		if value, i.err = answer(); i.err != nil {
			return
		}
		i.values[key] = value
		wrong := i.wrong(key)
		if wrong == "" {
			return
		}
		i.say("→ " + wrong)
	}
}

// wrong tells what is wrong with a key's value; "": nothing.
func (i *interview) wrong(key string) string {
	var e *config.Error
	if _, err := i.parse(); errors.As(err, &e) {
		for _, p := range e.Problems {
			if p.Key == key || strings.HasPrefix(p.Key, key+"[") {
				return p.Text
			}
		}
	}
	return ""
}

// oneOf asks for one of some words.
func (i *interview) oneOf(prompt, usual string, words ...string) (answer string) {
	for i.err == nil {
		answer, i.err = i.line(fmt.Sprintf("%s: %s", prompt, either(words)), usual)
		for _, w := range words {
			if strings.EqualFold(answer, w) {
				return w
			}
		}
		if i.err == nil {
			i.say("→ " + either(words) + " is expected")
		}
	}
	return usual
}

func (i *interview) confirm(prompt string, usual bool) bool {
	word := map[bool]string{true: "yes", false: "no"}
	return i.oneOf(prompt, word[usual], "yes", "no") == "yes" && i.err == nil
}

// text is what was answered.
func (i *interview) text(key string) string { text, _ := i.values[key].(string); return text }

// forget takes back what was answered to keys that begin so.
func (i *interview) forget(prefix string) {
	maps.DeleteFunc(i.values, func(key string, _ any) bool { return strings.HasPrefix(key, prefix) })
}
