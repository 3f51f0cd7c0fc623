//go:build linux

package endtoend

import (
	"encoding/hex"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// disk is what a run did to the files of a folder, call by call, and what they
// held before.
type disk struct {
	before map[string][]byte // by name
	ops    []op
}

// op is one call. A file is known by a number, for names come and go.
type op struct {
	kind opKind
	file int
	name string // of what is made, removed or renamed, or of the folder whose names are synced
	to   string // what it is renamed to
	at   int64  // where data goes, or how long the file becomes
	data []byte
}

type opKind int

const (
	opWrite opKind = iota
	opTruncate
	opSync
	opMake
	opRemove
	opRename
	opSyncNames
)

// sector is what a disk writes as a whole.
const sector = 512

// diskCalls are those that newDisk reads.
var diskCalls = []string{"open", "openat", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "renameat", "renameat2", "unlink", "unlinkat"}

var (
	anyCall  = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += (-?\d+)`)
	hexPart  = regexp.MustCompile(`([<"])((?:\\x[0-9a-f]{2})*)[>"]`)
	lastArgs = regexp.MustCompile(`, (\d+)$`)
)

// newDisk reads a trace made with -y -xx of a run that found these files in the
// folder. Names for which kept is false are of no interest.
func newDisk(t testing.TB, r run, folder string, before map[string][]byte, kept func(name string) bool) *disk {
	t.Helper()
	d := &disk{before: before}
	files := map[string]int{} // by name
	for i, name := range sortedNames(before) {
		files[name] = i
	}
	next, position := len(files), map[string]int64{}
	for _, line := range r.lines {
		m := anyCall.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(m[3], "-") {
			continue
		}
		call, args := m[1], m[2]
		var paths []string // open files, then names
		var data []byte
		for _, part := range hexPart.FindAllStringSubmatch(args, -1) {
			text, err := hex.DecodeString(strings.ReplaceAll(part[2], `\x`, ""))
			if err != nil {
				t.Fatal(err)
			}
			path := string(text)
			if part[1] == `"` {
				data = text
				if !filepath.IsAbs(path) {
					path = filepath.Join(folder, path)
				}
			}
			if name, err := filepath.Rel(folder, path); err == nil && (part[1] == `"` || !strings.HasPrefix(args, "AT_FDCWD")) {
				paths = append(paths, name)
			}
		}
		if len(paths) == 0 || !kept(paths[0]) {
			continue
		}
		name := paths[0]
		number := func() int64 {
			n, _ := strconv.ParseInt(lastArgs.FindStringSubmatch(args)[1], 10, 64)
			return n
		}
		switch call {
		case "open", "openat":
			position[name] = 0
			file, there := files[name]
			if !there && strings.Contains(args, "O_CREAT") {
				files[name], file = next, next
				next++
				d.ops = append(d.ops, op{kind: opMake, file: file, name: name})
			}
			if strings.Contains(args, "O_TRUNC") {
				d.ops = append(d.ops, op{kind: opTruncate, file: file})
			}
		case "write":
			d.ops = append(d.ops, op{kind: opWrite, file: files[name], at: position[name], data: data})
			position[name] += int64(len(data))
		case "pwrite64":
			d.ops = append(d.ops, op{kind: opWrite, file: files[name], at: number(), data: data})
		case "ftruncate":
			d.ops = append(d.ops, op{kind: opTruncate, file: files[name], at: number()})
		case "fsync", "fdatasync":
			if file, there := files[name]; there {
				d.ops = append(d.ops, op{kind: opSync, file: file})
			} else {
				d.ops = append(d.ops, op{kind: opSyncNames, name: name})
			}
		case "rename", "renameat", "renameat2":
			d.ops = append(d.ops, op{kind: opRename, file: files[name], name: name, to: paths[1]})
			files[paths[1]] = files[name]
			delete(files, name)
		case "unlink", "unlinkat":
			d.ops = append(d.ops, op{kind: opRemove, name: name})
			delete(files, name)
		}
	}
	return d
}

// cut gives the files as a power cut after n calls may leave them: what was
// synced is there; of the rest each call may have reached the disk or not, in
// any order, and of the last write that did any sectors. Names count as synced
// only when their folder was.
func (d *disk) cut(n int, dice *rand.Rand) map[string][]byte {
	ops := d.ops[:n]
	chance := []int{0, 5, 10}[dice.IntN(3)] // nothing, about half, all
	reached := make([]bool, n)
	synced, namesSynced := map[int]bool{}, map[string]bool{}
	last := -1
	for i, o := range slices.Backward(ops) {
		lasts := namesSynced[filepath.Dir(o.name)]
		switch o.kind {
		case opSync:
			synced[o.file] = true
		case opSyncNames:
			namesSynced[o.name] = true
		case opWrite, opTruncate:
			lasts = synced[o.file]
		}
		reached[i] = lasts || dice.IntN(10) < chance
		if last < 0 && !lasts && reached[i] && o.kind == opWrite {
			last = i
		}
	}
	names, contents := map[string]int{}, map[int][]byte{}
	for i, name := range sortedNames(d.before) {
		names[name], contents[i] = i, slices.Clone(d.before[name])
	}
	for i, o := range ops {
		if !reached[i] {
			continue
		}
		switch o.kind {
		case opWrite:
			torn := i == last && dice.IntN(2) == 0
			for from := 0; from < len(o.data); from += sector {
				if piece := o.data[from:min(from+sector, len(o.data))]; !torn || dice.IntN(2) == 0 {
					contents[o.file] = patch(contents[o.file], o.at+int64(from), piece)
				}
			}
		case opTruncate:
			contents[o.file] = patch(contents[o.file], o.at, nil)[:o.at]
		case opMake:
			names[o.name] = o.file
		case opRemove:
			delete(names, o.name)
		case opRename:
			delete(names, o.name)
			names[o.to] = o.file
		}
	}
	files := map[string][]byte{}
	for name, file := range names {
		files[name] = contents[file]
	}
	return files
}

// patch writes into a file, which grows as needed.
func patch(content []byte, at int64, data []byte) []byte {
	if end := at + int64(len(data)); int64(len(content)) < end {
		content = append(content, make([]byte, end-int64(len(content)))...)
	}
	copy(content[at:], data)
	return content
}

func sortedNames(files map[string][]byte) (names []string) {
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
