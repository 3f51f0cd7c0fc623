package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// What may not be used is told of with whose it is, and what to type.
func TestPermission(t *testing.T) {
	owners := map[string]string{
		"/": "root", "/etc": "root", "/etc/covebridge": "covebridge", "/home/eve/config.yaml": "eve",
		"/var/lib/covebridge": "covebridge", "/var/lib/covebridge/root.db": "root",
	}
	for path, want := range map[string]string{
		"/etc/covebridge/config.yaml": "/etc/covebridge belongs to covebridge and you are eve: as root, runuser -u covebridge -- covebridge …, or chown eve: /etc/covebridge",
		"/home/eve/config.yaml":       "chmod u+rwX /home/eve/config.yaml",
		"/var/lib/covebridge/root.db": "belongs to root and you are eve: as root, chown eve: /var/lib/covebridge/root.db",
		"/nowhere/at/all":             "/ belongs to root and you are eve: run this as root, or name a place that is yours",
	} {
		got := permissionOf(path, "eve", func(p string) string { return owners[filepath.Clean(p)] })
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	err := fmt.Errorf("read: %w", usageError{&fs.PathError{Op: "open", Path: "/nowhere", Err: fs.ErrPermission}})
	if got := permission(err); !strings.Contains(got, "belongs to") {
		t.Errorf("got %q", got)
	}
	if got := permission(&fs.PathError{Op: "open", Path: "/nowhere", Err: fs.ErrNotExist}); got != "" {
		t.Errorf("got %q", got)
	}
}
