package main

import (
	"log/slog"
	"strings"
	"time"

	"github.com/lmittmann/tint"

	"covebridge/bridge/config"
)

// logger writes to standard error: for people on a terminal, JSON on demand.
// Its times are in mail.timezone, and say so.
func (a *app) logger(c config.Log) *slog.Logger {
	a.log = a.newLogger(c)
	return a.log
}

func (a *app) newLogger(c config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(strings.ToUpper(c.Level))) // the configuration was checked
	inZone := func(groups []string, at slog.Attr) slog.Attr {
		if at.Key == slog.TimeKey && len(groups) == 0 && at.Value.Kind() == slog.KindTime {
			at.Value = slog.TimeValue(at.Value.Time().In(a.zone()))
		}
		return at
	}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(a.errs, &slog.HandlerOptions{Level: level, ReplaceAttr: inZone}))
	}
	return slog.New(tint.NewTextHandler(a.errs, &tint.Options{
		Level: level, TimeFormat: time.DateTime + " MST", ReplaceAttr: inZone, NoColor: !isTerminal(a.errs) || noColour(),
	}))
}
