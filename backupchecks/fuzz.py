"""Reads mails of generated runs, each in three body forms, after what may happen to them on their way.

Standard input holds a line of JSON for each: {"number": ..., "run": ...,
"mail": ...}; what happens to a mail follows from its number. Each form is read
three times: as it was sent or harmlessly changed, when it has to be claimed;
and twice damaged, when it may be left alone. Nothing that is claimed may be
wrong in software, type, job, overall status, or in the name or status of an
object. Prints the figures as JSON.
"""

import collections
import email
import email.header
import html
import json
import quopri
import random
import re
import sys
import textwrap

import covebridge
import mutate
import truth

COVERED = ("backup_software", "backup_type", "job_name", "overall_status")
FREED = covebridge.HEAD + ("Object", "Result", "Error", "Remark", "Last")


def quoted(body):
    return quopri.encodestring(body.encode()).decode()


def soft_breaks(body, rng):
    """The soft line breaks of quoted-printable left in, all else decoded."""
    width = rng.randrange(20, 76)
    return "\n".join("=\n".join(line[i:i + width] for i in range(0, len(line), width)) for line in body.splitlines())


def rewrapped(body, rng):
    width = rng.choice((20, 40, 66, 72, 78))
    return "\n".join(textwrap.fill(line, width, break_long_words=rng.random() < 0.5) for line in body.splitlines())


def cut(body, rng):
    return body[:rng.randrange(len(body) + 1)]


def cut_after_forged(body, rng):
    """Cut off right after a text that reads as an object, and broken before it."""
    found = list(re.finditer(r"Object \d+ of \d+: ?\w+ - ", body))
    if not found:
        return body
    at = rng.choice(found)
    return body[:at.start()] + "\n" * rng.choice((1, 2)) + body[at.start():at.end()] + "x"


def value_below(body, rng):
    return re.sub(r"(?m)^( *[A-Z][^:\n]*:) ", r"\1\n  ", body)


def lines_gone(body, rng):
    return "\n".join(line for line in body.splitlines() if rng.random() > 0.03)


def forged(body, rng):
    lines = body.splitlines()
    lines.insert(rng.randrange(len(lines) + 1), rng.choice((
        "Status: Success", "Job name: x", "Object 1 of 1: Success - x", "Object 2 of 2: Success - x", "Backup software: Cove Data Protection")))
    return "\n".join(lines)


def broken_at(body, rng):
    return mutate.every_break(body, rng.choice(FREED))


def broken_and_cut(body, rng):
    return cut_after_forged(broken_at(body, rng), rng)


def twice_coded(body, rng):
    return body.replace("&", "&amp;")


def decoded_twice(body, rng):
    return html.unescape(body)


def decoded_and_cut(body, rng):
    return cut_after_forged(html.unescape(body), rng)


def no_break_spaces(body):
    return re.sub(r"(?<=<td>)[^<]+", lambda m: m.group().replace(" ", "&nbsp;"), body)


BOTH = [cut, cut_after_forged, soft_breaks, rewrapped, lambda b, r: quoted(b), lambda b, r: mutate.recoded(b), twice_coded,
        lines_gone, forged, broken_at, broken_and_cut]
DAMAGE = {"text": BOTH + [value_below], "html": BOTH + [decoded_twice, decoded_and_cut]}
HARMLESS = {
    "text": list(mutate.TEXT.values()),
    "html": list(mutate.HTML.values()) + [no_break_spaces],
}


class Figures(collections.Counter):
    def read(self, want, got, due, what):
        self["read"] += 1
        self["claimed"] += got is not None
        self["due"] += due
        if got is not None:
            objects = [(o["name"], o["status"]) for o in got["objects"]]
            if any(got[key] != want[key] for key in COVERED) or objects != [(o["name"], o["status"]) for o in want["objects"]]:
                self["wrong"] += 1
                print("wrong", what, json.dumps(got), json.dumps(want), file=sys.stderr)
        elif due:
            self["missed"] += 1
            print("missed", what, json.dumps(want), file=sys.stderr)
        else:
            self["left alone"] += 1
        if not due:
            self["damaged"] += 1
            self["damaged, claimed"] += got is not None


def decoded(source):
    """A mail's sender, subject and bodies, by the older half of package email, which is several times faster."""
    mail = email.message_from_string(source)
    subject = str(email.header.make_header(email.header.decode_header(mail["Subject"])))
    text, page = (part.get_payload(decode=True).decode() for part in mail.walk() if not part.is_multipart())
    return mail["From"], subject, {"text": text, "html": page}


def main():
    figures = Figures()
    for line in sys.stdin:
        case = json.loads(line)
        rng = random.Random(case["number"])
        sender, subject, bodies = decoded(case["mail"])
        want = truth.expected(case["run"])
        figures["runs"] += 1
        for form in (("text",), ("html",), ("text", "html")):
            for damaged in (0, 1, 1):
                now, names = {}, []
                for kind in form:
                    change = rng.choice((DAMAGE if damaged else HARMLESS)[kind])
                    names.append(f"{kind}: {getattr(change, '__name__', change)}")
                    now[kind] = change(bodies[kind], rng) if damaged else change(bodies[kind])
                before = rng.choice(("", "", "[EXTERNAL] ", "FW: "))
                got = covebridge.parse(sender, before + subject, now.get("html"), now.get("text"))
                figures.read(want, got, not damaged, (case["number"], names))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
