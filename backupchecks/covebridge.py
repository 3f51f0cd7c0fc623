"""Parser rule for Backupchecks: mails of covebridge (Cove Data Protection).

parse() is a pure function of a mail's sender, subject, HTML body and text
body. It gives what Backupchecks wants to know, or None where the mail is not
ours or not whole. It needs nothing but Python's standard library (3.9 or
newer), and never raises.

How it reads. Both bodies hold the same lines, "Key: value": in the text one a
line, in the HTML one a table row. The HTML is turned into lines first, so
there is one grammar:

    Backup software: ...      the keys of HEAD, each once
    ...
    Checksum: ...
    Object 1 of 2: Warning - Files and folders
      Result: ...             then Data, Errors, Error, as far as there are any
    Object 2 of 2: Success - System state
      Result: ...
    Remark: ...               as many as there are
    Last 28 days: ...

Why names can't forge a status. The bridge keeps every name and text from
Cove on the line of its own key. Should something on the way break lines all
the same, three things have to agree before a mail is claimed: the subject,
with its status and job; the order and number of the lines; and the checksum,
which covers all that decides about a run. Mails from before there was a
checksum have their lines in one order, and their sentence counted again. What
does not add up stays in the Inbox, where a person sees it.
"""

import html
import quopri
import re
import zlib
from html.parser import HTMLParser

# Filled in by "covebridge parser-rule" from the bridge's configuration.
SENDER = "cove@msp.example"
SOFTWARES = ("Cove Data Protection",)

HEAD = (
    "Backup software", "Backup type", "Job name", "Customer", "Customer path",
    "Device", "Computer", "Operating system", "Account ID", "Status", "Start",
    "End", "Duration", "Selected", "Processed", "Sent", "Used storage",
    "Errors", "Run", "Checksum", "Summary",
)
OPTIONAL = {"Customer path", "Checksum"}
STATUSES = ("Success", "Warning", "Failed")  # from best to worst

SUBJECT_REGEX = r"\[[^\[\]]+\] (Success|Warning|Failed): "
_SUBJECT = re.compile(SUBJECT_REGEX + "(.*)")
_OBJECT = re.compile(r"Object (\d{1,6}) of (\d{1,6}): ?(Success|Warning|Failed) - (.+)")
_LIKE_OBJECT = re.compile(r"Object \d+ of \d+:")
_DETAIL = re.compile(r"(Result|Data|Errors|No error texts|Error): ?(.*)")
_TAIL = re.compile(r"(?:Remark: ?(.+)|(Attempt \d+(?:; earlier: .*)?)|Last \d+ days:.*)")
_COUNTED = re.compile(r"(?:All|(\d+) of) (\d+) data sources succeeded\.$")

_MAX_BODY = 8 * 1024 * 1024  # characters; the bridge's mails stay far below
_MAX_WORD = 200              # characters of a name that a subject shows
_ERRORS_SHOWN = 3            # error texts in an object's message


def parse(from_address, subject, html_body, text_body):
    """Reads one mail. Returns None where it is not ours, else a dict with
    backup_software, backup_type, job_name, overall_status, overall_message
    and objects, a list of dicts with name, type, status and message."""
    try:
        told = _SUBJECT.search(_one_line(_text(subject)))
        if not told or not _ours(from_address):
            return None
        bodies = [_body(_text(text_body), str.splitlines, told), _body(_text(html_body), _html_lines, told)]
        found = [body for body in bodies if body]
        if not found or any(_core(body) != _core(found[0]) for body in found):
            return None
        if len(found) < 2 and found[0]["long"]:
            return None
        return _result(found)
    except Exception:  # a mail that no one thought of must not stop the import
        return None


def _ours(from_address):
    """Whether the sender is exactly the bridge's; a display name proves nothing."""
    address = _text(from_address).strip()
    if address.endswith(">"):
        address = address[:-1].rpartition("<")[2]
    return address.strip().lower() == SENDER.lower() != ""


def _text(value):
    if isinstance(value, (bytes, bytearray)):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) and len(value) <= _MAX_BODY else ""


def _one_line(text):
    return " ".join(text.split())


def _body(body, lines, told):
    """Reads a body as it is, else with a coding undone that should have been
    before; None where it does not add up."""
    for undo in (str, _unquoted, html.unescape):
        undone = undo(body)
        if undo is str or undone != body:
            found = _read(lines(undone))
            if found and _adds_up(found, told) and (undo is str or "Checksum" in found["head"]):
                return found
    return None


def _unquoted(body):
    """A body whose transfer encoding, quoted-printable, was left in."""
    return quopri.decodestring(body.encode("utf-8", "replace")).decode("utf-8", "replace")


def _adds_up(found, told):
    """Whether the subject, the head and the objects tell the same."""
    head, objects = found["head"], found["objects"]
    status, named = told.groups()
    job, customer = _short(head["Job name"]), _short(head["Customer"])
    if head["Status"] != status or named not in (job, f"{job} ({customer})"):
        return False
    if "Checksum" in head:
        lines = [head[key] for key in ("Backup software", "Backup type", "Job name", "Status")]
        lines += [f"{o['status']} - {o['name']}" for o in objects]
        return head["Checksum"] == f"{zlib.crc32(chr(10).join(lines).encode()):08x}"
    # A mail from before there was a checksum.
    if list(head) != [key for key in HEAD if key in head]:
        return False
    statuses = [o["status"] for o in objects]
    counted = _COUNTED.search(head["Summary"])
    if counted and (statuses.count("Success"), len(statuses)) != (int(counted[1] or counted[2]), int(counted[2])):
        return False
    found["long"] = job != head["Job name"]  # the subject has only a part of it
    return not statuses or max(statuses, key=STATUSES.index) == status


def _short(name):
    """A name as a subject shows it."""
    return name if len(name) <= _MAX_WORD else name[:_MAX_WORD - 1].rstrip(" ") + "\u2026"


def _core(found):
    """What both bodies must agree on."""
    head = found["head"]
    return ([head[key] for key in ("Backup software", "Backup type", "Job name", "Status")],
            [o["status"] for o in found["objects"]])


def _result(found):
    """What Backupchecks is told: by the first body, and where it lacks an object's message, by the other."""
    head, objects = found[0]["head"], []
    for same in zip(*(body["objects"] for body in found)):
        messages = [_message(o) for o in same]
        objects.append({"name": same[0]["name"], "type": "Data source", "status": same[0]["status"],
                        "message": next((m for m in messages if m != "-"), "-")})
    return {
        "backup_software": head["Backup software"],
        "backup_type": head["Backup type"],
        "job_name": head["Job name"],
        "overall_status": head["Status"],
        "overall_message": " ".join([head["Summary"]] + found[0]["remarks"]),
        "objects": objects,
    }


def _read(lines):
    """Reads the lines of a body; None where they are not ours, or are seen not to be whole."""
    lines = [_one_line(line) for line in lines]
    starts = [i for i, line in enumerate(lines) if _key(line) == HEAD[0]]
    if len(starts) != 1:
        return None
    head, rest = _head(lines[starts[0]:])
    if head is None or head["Backup software"] not in SOFTWARES or head["Status"] not in STATUSES:
        return None
    tail = _objects(rest)
    if tail is None:
        return None
    return {"head": head, "objects": tail[0], "remarks": tail[1], "long": False}


def _key(line):
    """The key of HEAD that the line begins with, or None."""
    key = line.partition(":")[0]
    return key if key in HEAD else None


def _head(lines):
    """Reads the lines of HEAD; gives them, in the order in which they came, and what is left."""
    head, current = {}, None
    for i, line in enumerate(lines):
        key = _key(line)
        if key in head:
            return None, None
        if key:
            head[key] = line.partition(":")[2].strip()
            current = key
        elif not line:
            current = None
        elif _whole(head) and (current in (None, "Checksum") or _LIKE_OBJECT.match(line) or _TAIL.fullmatch(line)):
            return head, lines[i:]
        elif current:  # a long line that was broken on the way
            head[current] = (head[current] + " " + line).strip()
    return (head, []) if _whole(head) else (None, None)


def _whole(head):
    return all(key in head for key in HEAD if key not in OPTIONAL)


def _objects(lines):
    """Reads the objects and what follows them; None where one is missing, twice or out of order."""
    objects, remarks, total, current, field = [], [], 0, None, None
    starts = {lines[i - 1] == "" for i, line in enumerate(lines) if i and _LIKE_OBJECT.match(line)}
    if len(starts) > 1:  # some stand apart as they should, others were set free on the way
        return None
    for line in lines:
        if _key(line) and not (_key(line) == "Errors" and current):
            return None
        if _LIKE_OBJECT.match(line):
            m = _OBJECT.fullmatch(line)
            if not m or remarks or int(m.group(1)) != len(objects) + 1 or total not in (0, int(m.group(2))):
                return None
            total = int(m.group(2))
            current = {"name": m.group(4), "status": m.group(3), "fields": []}
            objects.append(current)
            field = None
            continue
        m = _TAIL.fullmatch(line)
        if m:
            current = field = None
            remarks.extend(part for part in m.groups() if part)
            continue
        m = _DETAIL.fullmatch(line)
        if m and current:
            field = [m.group(1), m.group(2)]
            current["fields"].append(field)
        elif line and field:  # a long line that was broken on the way
            field[1] += " " + line
        else:  # after an empty line comes nothing that belongs to the field
            field = None
    return (objects, remarks) if len(objects) == total else None


def _message(found):
    """An object's message: its result and times, then the first errors."""
    def values(key):
        return [v for k, v in found["fields"] if k == key]

    message = (values("Result") or ["-"])[0]
    number, texts, missing = values("Errors"), values("Error"), values("No error texts")
    if number:
        message += "; " + number[0] + (" error" if number[0] == "1" else " errors")
        if texts:
            message += ": " + "; ".join(texts[:_ERRORS_SHOWN])
            if len(texts) > _ERRORS_SHOWN:
                message += "; ..."
    if missing:
        message += "; no error texts: " + missing[0]
    return message


class _Lines(HTMLParser):
    """Turns HTML into lines: a table row is one, and so is any other block."""

    SILENT = {"script", "style", "title"}
    BLOCKS = {"p", "div", "br", "h1", "h2", "h3", "li", "ul", "ol", "hr", "body", "pre", "blockquote"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.lines, self.line = [], []
        self.in_cell = [False]  # one for each table that is open
        self.silent = None

    def flush(self):
        # The empty line says that nothing of the next one belongs to this one.
        self.lines += ["".join(self.line), ""]
        self.line = []

    def handle_starttag(self, tag, attrs):
        if tag in self.SILENT:
            self.silent = tag
        elif tag == "table":
            self.flush()
            self.in_cell.append(False)
        elif tag == "tr":
            self.flush()
            self.in_cell[-1] = False
        elif tag in ("td", "th"):
            self.line.append(" ")
            self.in_cell[-1] = True
        elif tag in self.BLOCKS:
            self.block()
            if tag == "li":  # an error's text must not pose as a line of ours
                self.line.append("* ")

    def handle_endtag(self, tag):
        if tag == self.silent:
            self.silent = None
        elif tag == "table":
            self.flush()
            if len(self.in_cell) > 1:
                self.in_cell.pop()
        elif tag == "tr":
            self.flush()
            self.in_cell[-1] = False
        elif tag in self.BLOCKS:
            self.block()

    def block(self):
        if self.in_cell[-1]:
            self.line.append(" ")
        else:
            self.flush()

    def handle_data(self, data):
        if not self.silent:
            self.line.append(data)


def _html_lines(source):
    reader = _Lines()
    reader.feed(source)
    reader.close()
    reader.flush()
    return reader.lines


# The adapter for the registry of parsers. Its exact form differs between
# versions of Backupchecks: shape these two like their neighbours there.

PARSER = {
    "name": "covebridge",
    "backup_software": SOFTWARES[0],
    "backup_types": ["Server", "Workstation", "Microsoft 365", "Recovery test", "Heartbeat", "Digest"],
    "match": {
        "from_contains": SENDER,
        "subject_contains": "",  # the regular expression says it
        "subject_regex": SUBJECT_REGEX,
    },
    "order": 10,  # it claims nothing that is not its own, so it may come early
    "enabled": True,
    "example": {
        "from_address": SENDER,
        "subject": "[Cove] Warning: srv01_ab12c (Acme BV)",
        "body_snippet": "Backup software: " + SOFTWARES[0],
    },
}


def parse_message(message):
    """Reads a MailMessage, or anything with its four attributes."""
    return parse(*(getattr(message, name, None)
                   for name in ("from_address", "subject", "html_body", "text_body")))


def _main(paths):
    """Reads mails from files and prints what the rule makes of them, for a try by hand."""
    import email
    import email.policy
    import json
    for path in paths:
        with open(path, "rb") as file:
            mail = email.message_from_binary_file(file, policy=email.policy.default)
        bodies = {}
        for kind in ("html", "plain"):
            part = mail.get_body((kind,))
            bodies[kind] = part.get_content() if part else None
        result = parse(str(mail["From"]), str(mail["Subject"]), bodies["html"], bodies["plain"])
        print(json.dumps({"file": path, "result": result}, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    import sys
    _main(sys.argv[1:])
