package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// What the build sets (-ldflags "-X main.release=v1.2.3"): the release, and the
// commit that it is built from, with its time in seconds since 1970.
var release, commit, committed string

func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func versionLine() string {
	from := ""
	if seconds, err := strconv.ParseInt(committed, 10, 64); err == nil {
		from = fmt.Sprintf(" (commit %s of %s)", commit, time.Unix(seconds, 0).UTC().Format(time.DateOnly))
	}
	return fmt.Sprintf("covebridge %s%s %s %s/%s\n", version(), from, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(a.out, versionLine())
			return err
		},
	}
}
