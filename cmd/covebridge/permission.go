package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"path/filepath"
)

// permission gives what to type where a file may not be used, or "".
func permission(err error) string {
	var file *fs.PathError
	if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &file) {
		return ""
	}
	me, err := user.Current()
	if err != nil {
		return ""
	}
	return permissionOf(file.Path, me.Username, owner)
}

// permissionOf is for the user me; owner tells whose a file is, "" where that
// can't be seen.
func permissionOf(path, me string, owner func(string) string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	// What can't be seen, or is to be made, is in a folder that does not let us.
	at := path
	for ; owner(at) == "" && at != filepath.Dir(at); at = filepath.Dir(at) {
	}
	switch whose := cmp.Or(owner(at), "root"); {
	case whose == me:
		return fmt.Sprintf("%s belongs to you, and its mode forbids it: chmod u+rwX %[1]s", at)
	case whose == "root" && at != path: // a folder of the system's is nobody's to change
		return fmt.Sprintf("%s belongs to root and you are %s: run this as root, or name a place that is yours", at, me)
	case whose == "root":
		return fmt.Sprintf("%s belongs to root and you are %s: as root, chown %[2]s: %[1]s, or run this as root", at, me)
	default:
		return fmt.Sprintf("%s belongs to %s and you are %s: as root, runuser -u %[2]s -- covebridge …, or chown %[3]s: %[1]s", at, whose, me)
	}
}
