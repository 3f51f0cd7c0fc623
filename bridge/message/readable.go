package message

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Readable tells what in a mail keeps the parser rule for Backupchecks
// (backupchecks/covebridge.py) from claiming it; nil: nothing. It is for mails
// as a Renderer made them, so that a template that leaves out or changes what
// the rule reads is told of before a mail stays in the inbox. The rule claims
// some mails besides, from before there was a checksum, and what came damaged.
//
// Sender and software are not looked at: the rule is made for those configured.
func Readable(m []byte) error {
	c, err := Read(bytes.NewReader(m))
	if err != nil {
		return err
	}
	told := subjectLine.FindStringSubmatch(foldSpaces(c.Subject))
	if told == nil {
		return fmt.Errorf(`the subject %q has no "[Word] Status: " in it`, c.Subject)
	}
	text, textErr := readRecord(strings.Split(c.Text, "\n"), told)
	html, htmlErr := readRecord(htmlLines(c.HTML), told)
	switch {
	case textErr != nil && htmlErr != nil:
		return fmt.Errorf("text part: %w; HTML part: %w", textErr, htmlErr)
	case textErr == nil && htmlErr == nil && !text.equal(html):
		return errors.New("the text and the HTML part tell different results")
	}
	return nil
}

// Unreadable tells why the rule could not read the mails that the templates make:
// usual, of any device; bare, of what has no customer and no type. nil: it can.
func (r *Renderer) Unreadable() (usual, bare error) {
	for _, run := range samples() {
		m, err := r.Render(run)
		if err == nil {
			err = Readable(m.Bytes)
		}
		switch {
		case err == nil:
		case run.Device.Customer != "":
			usual = cmp.Or(usual, err)
		default:
			bare = cmp.Or(bare, err)
		}
	}
	return usual, bare
}

// The lines that the rule looks for, as it writes them.
var (
	headKeys = []string{
		"Backup software", "Backup type", "Job name", "Customer", "Customer path", "Device", "Computer", "Operating system", "Account ID", "Status",
		"Start", "End", "Duration", "Selected", "Processed", "Sent", "Used storage", "Errors", "Run", "Checksum", "Summary",
	}
	subjectLine = regexp.MustCompile(`\[[^\[\]]+\] (Success|Warning|Failed): (.*)`)
	objectLine  = regexp.MustCompile(`^Object (\d{1,6}) of (\d{1,6}): ?((?:Success|Warning|Failed) - .+)$`)
	likeObject  = regexp.MustCompile(`^Object \d+ of \d+:`)
	tailLine    = regexp.MustCompile(`^(?:Remark: ?.+|Attempt \d+(?:; earlier: .*)?|Last \d+ days:.*)$`)
)

// record is what the rule reads of a body.
type record struct {
	head    map[string]string
	objects []string // "Warning - Files and folders"
}

// equal tells whether two bodies tell the same result.
func (r *record) equal(other *record) bool {
	return r.checksum() == other.checksum()
}

// checksum is that of what was read.
func (r *record) checksum() string {
	return checksumOf(r.head["Backup software"], r.head["Backup type"], r.head["Job name"], r.head["Status"], r.objects)
}

// readRecord reads the lines of a body. subject is the subject's status and name.
func readRecord(lines []string, subject []string) (*record, error) {
	for i, line := range lines {
		lines[i] = foldSpaces(line)
	}
	start := slices.IndexFunc(lines, func(line string) bool { return keyOf(line) == headKeys[0] })
	if start < 0 {
		return nil, fmt.Errorf("the line %q is missing", headKeys[0]+": …")
	}
	r := &record{head: map[string]string{}}
	rest, err := r.readHead(lines[start:])
	if err == nil {
		err = r.readObjects(rest)
	}
	if err != nil {
		return nil, err
	}
	job, customer := truncate(r.head["Job name"], maxWord), truncate(r.head["Customer"], maxWord)
	switch {
	case r.head["Status"] != subject[1]:
		return nil, fmt.Errorf("it tells the status %q, and the subject %q", r.head["Status"], subject[1])
	case subject[2] != job && subject[2] != job+" ("+customer+")":
		return nil, fmt.Errorf("the subject ends in %q, not in the job %q, alone or with the customer %q in parentheses", subject[2], job, customer)
	case r.head["Checksum"] != r.checksum():
		return nil, errors.New("the checksum is not that of software, type, job, status and objects as they stand here")
	}
	return r, nil
}

// keyOf gives the key of the head that the line begins with, or "".
func keyOf(line string) string {
	key, _, _ := strings.Cut(line, ":")
	if slices.Contains(headKeys, key) {
		return key
	}
	return ""
}

// missing gives the first key of the head that is not there, or "".
func (r *record) missing() string {
	for _, key := range headKeys {
		if _, there := r.head[key]; !there && key != "Customer path" {
			return key
		}
	}
	return ""
}

// readHead reads the lines of the head, and gives what is left.
func (r *record) readHead(lines []string) (rest []string, err error) {
	current := ""
	for i, line := range lines {
		key := keyOf(line)
		_, again := r.head[key]
		whole := r.missing() == ""
		switch {
		case key != "" && again && !whole:
			return nil, fmt.Errorf("the line %q is missing", r.missing()+": …")
		case key != "" && again:
			return nil, fmt.Errorf("the line %q stands there twice", key+": …")
		case key != "":
			_, value, _ := strings.Cut(line, ":")
			r.head[key], current = strings.TrimSpace(value), key
		case line == "":
			current = ""
		case whole && (current == "" || current == "Checksum" || likeObject.MatchString(line) || tailLine.MatchString(line)):
			return lines[i:], nil
		case current != "":
			r.head[current] = strings.TrimSpace(r.head[current] + " " + line)
		}
	}
	if key := r.missing(); key != "" {
		return nil, fmt.Errorf("the line %q is missing", key+": …")
	}
	return nil, nil
}

// readObjects reads the data sources.
func (r *record) readObjects(lines []string) error {
	total, ended := 0, false
	apart := map[bool]bool{}
	for i, line := range lines {
		if key := keyOf(line); key != "" && (key != "Errors" || len(r.objects) == 0 || ended) {
			return fmt.Errorf("the line %q stands below the head", key+": …")
		}
		if tailLine.MatchString(line) {
			ended = true
		}
		if !likeObject.MatchString(line) {
			continue
		}
		if i > 0 {
			apart[lines[i-1] == ""] = true
		}
		m := objectLine.FindStringSubmatch(line)
		if m == nil {
			return fmt.Errorf("%q is no line of an object: \"Object N of M: Status - Name\" is", line)
		}
		number, _ := strconv.Atoi(m[1])
		of, _ := strconv.Atoi(m[2])
		if number != len(r.objects)+1 || total != 0 && total != of || ended {
			return fmt.Errorf("the line %q is not in its place", line)
		}
		total = of
		r.objects = append(r.objects, m[3])
	}
	if len(r.objects) != total {
		return fmt.Errorf("of %d objects only %d are there", total, len(r.objects))
	}
	if len(apart) > 1 {
		return errors.New("some lines of objects have an empty line before them, and some have none")
	}
	return nil
}

// foldSpaces makes one space of each run of them.
func foldSpaces(s string) string { return strings.Join(strings.Fields(s), " ") }
