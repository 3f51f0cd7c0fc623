//go:build unix

package bridge

import "golang.org/x/sys/unix"

// free is the room that is left for ordinary users in the folder's file system.
func free(folder string) (bytes uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil //nolint:gosec // a block has a size
}
