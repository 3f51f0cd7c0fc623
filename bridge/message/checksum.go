package message

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"strings"
)

// checksum lets a reader see whether what it read is what was written, though
// the mail was cut off, wrapped or decoded once too often on its way and a
// forged line came free: the CRC-32 (IEEE, as in zip files), in eight
// hexadecimal digits, of software, type, job, status, and each object's status
// and name, as the mail shows them, one a line.
func checksum(v View) string {
	d := v.Run.Device
	var objects []string
	for _, o := range v.Objects {
		objects = append(objects, o.Status.String()+" - "+o.Name)
	}
	return checksumOf(cmp.Or(d.Software, none), cmp.Or(v.Run.Type(), none), cmp.Or(v.Run.Job, none), v.Run.Status.String(), objects)
}

func checksumOf(software, kind, job, status string, objects []string) string {
	lines := append([]string{software, kind, job, status}, objects...)
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(strings.Join(lines, "\n"))))
}
