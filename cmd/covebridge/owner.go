//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// asOwner is a call of this program as the user whose a folder is, where that is
// not the one who runs it and it may be done, as by root; nil: it is or may not.
func asOwner(ctx context.Context, folder string, args ...string) *exec.Cmd {
	info, err := os.Stat(folder)
	if err != nil || os.Geteuid() != 0 {
		return nil
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	program, err := os.Executable()
	if !ok || err != nil || stat.Uid == 0 {
		return nil
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "/" // where we are, it may not look
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return cmd
}

// owner is the user whose file it is; empty: that can't be seen.
func owner(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	id := strconv.FormatUint(uint64(stat.Uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
