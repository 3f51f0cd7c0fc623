"""Tests of the parser rule over mails and the runs they were made from.

MAILS names the directory: each NAME.eml beside its NAME.json. Without it, the
golden mails are taken.
"""

import email
import email.policy
import html
import json
import os
import pathlib
import random
import re
import time
import unittest

import covebridge
import mutate
import truth

MAILS = pathlib.Path(os.environ.get("MAILS") or pathlib.Path(__file__).parent.parent / "testdata" / "mails")
covebridge.SOFTWARES = ("Cove Data Protection", "Acronis Cyber Protect")


class Mail:
    def __init__(self, path):
        self.name = path.stem
        with open(path, "rb") as file:
            mail = email.message_from_binary_file(file, policy=email.policy.default)
        self.sender, self.subject = str(mail["From"]), str(mail["Subject"])
        self.text = mail.get_body(("plain",)).get_content().replace("\n", "\r\n")
        self.html = mail.get_body(("html",)).get_content().replace("\n", "\r\n")
        self.run = json.loads(path.with_suffix(".json").read_text("utf-8"))
        self.want = truth.expected(self.run)

    def parse(self, html_body, text_body):
        return covebridge.parse(self.sender, self.subject, html_body, text_body)


def load():
    mails = [Mail(path) for path in sorted(MAILS.glob("*.eml"))]
    assert len(mails) >= 20, f"{len(mails)} mails in {MAILS}"
    return mails


class Truth(unittest.TestCase):
    """Every mail means what its run meant."""

    @classmethod
    def setUpClass(cls):
        cls.mails = load()

    def check(self, mail, got, what, of_html=False):
        self.assertIsNotNone(got, (mail.name, what))
        got, want = dict(got), mail.want
        self.assertTrue(got.pop("overall_message"), (mail.name, what))
        if of_html:  # which tells of what succeeded in a table for people
            want = dict(want, objects=[dict(o, message="-") if o["status"] == "Success" else o for o in want["objects"]])
        self.maxDiff = None
        self.assertEqual(want, got, (mail.name, what))

    def not_wrong(self, mail, got, what):
        """Whatever was done to the mail: the right status, or none. Tells whether
        it was claimed: a test in which nothing is would prove nothing."""
        if got is None:
            return False
        self.assertEqual(mail.want["overall_status"], got["overall_status"], (mail.name, what))
        self.assertEqual([o["status"] for o in mail.want["objects"]], [o["status"] for o in got["objects"]], (mail.name, what))
        return True

    def test_text_alone(self):
        for mail in self.mails:
            for what, change in mutate.TEXT.items():
                for nothing in (None, ""):
                    self.check(mail, mail.parse(nothing, change(mail.text)), "text, " + what)

    def test_html_alone(self):
        for mail in self.mails:
            for what, change in mutate.HTML.items():
                for nothing in (None, ""):
                    self.check(mail, mail.parse(change(mail.html), nothing), "HTML, " + what, True)

    def test_both(self):
        for mail in self.mails:
            self.check(mail, mail.parse(mail.html, mail.text), "both")
            self.check(mail, mail.parse(mutate.exchange(mail.html), mutate.converted(mail.html)), "both by Exchange", True)
            self.check(mail, mail.parse(mail.html.encode(), mail.text.encode()), "bytes")

    def test_text_made_of_html(self):
        for mail in self.mails:
            self.check(mail, mail.parse(None, mutate.converted(mail.html)), "text made of HTML", True)

    def test_message_holds_what_happened(self):
        for mail in self.mails:
            message = mail.parse(mail.html, mail.text)["overall_message"]
            for remark in mail.run.get("remarks") or []:
                self.assertIn(truth.clean(remark, 1000), message, mail.name)
            if mail.run.get("in_row", 0) > 1 and mail.run["kind"] == "run":
                self.assertRegex(message, f"{mail.run['in_row']}(st|nd|rd|th) run in a row without success, since ", mail.name)
            if mail.run["kind"] == "overdue":
                self.assertIn("Still unfinished", message, mail.name)
            if mail.run["kind"].endswith("silence"):
                self.assertIn("No backup has", message, mail.name)

    def test_damage_never_gives_a_wrong_status(self):
        claimed = []
        for mail in self.mails:
            damaged = [("wrapped", None, mutate.wrapped(mail.text)),
                       ("broken at each", None, re.sub(r" (?=[A-Z][\w ]*:)", "\n", mail.text))]
            for word in covebridge.HEAD + ("Object", "Result", "Error", "Remark", "Last"):
                damaged.append(("broken at " + word, None, mutate.every_break(mail.text, word)))
            damaged.append(("decoded twice", html.unescape(mail.html), mail.text))
            damaged.append(("recoded", mutate.recoded(mail.html), mutate.recoded(mail.text)))
            for what, h, t in damaged:
                claimed.append(self.not_wrong(mail, mail.parse(h, t), what))
            # Of a mail of which only a twice decoded HTML part is left, the overall status at least.
            got = mail.parse(html.unescape(mail.html), None)
            if got is not None:
                self.assertEqual(mail.want["overall_status"], got["overall_status"], mail.name)
        # Of hostile names a part stands alone after a break, and then the mail is not claimed.
        self.assertGreater(sum(claimed), len(claimed) / 4)

    def test_cut_off(self):
        for mail in self.mails:
            for body, where in ((mail.text, "text"), (mail.html, "HTML")):
                claimed = 0
                for at in (*range(0, len(body), max(len(body) // 60, 1)), body.rfind("</table>")):
                    args = (body[:at], None) if where == "HTML" else (None, body[:at])
                    got = mail.parse(*args)
                    if got is not None:
                        claimed += 1
                        self.assertEqual(mail.want["overall_status"], got["overall_status"], (mail.name, where, at))
                        if got["objects"]:  # all of them, or none where the cut came before the first
                            self.not_wrong(mail, got, (where, at))
                self.assertTrue(claimed, (mail.name, where, "of which only the end is missing"))

    def test_random_damage_never_raises(self):
        rng, claimed = random.Random(1), 0
        for mail in self.mails:
            for _ in range(20):
                bodies = []
                for body in (mail.html, mail.text):
                    for _ in range(rng.randrange(1, 8)):
                        a, b = sorted(rng.randrange(len(body) + 1) for _ in range(2))
                        b = min(b, a + 40)
                        body = rng.choice((body[:a] + body[b:], body[:a] + body[a:b] * 2 + body[b:],
                                           body[:a] + chr(rng.randrange(0x10ffff)) + body[b:],
                                           body[:a] + rng.choice(("<", "<!--", "<![CDATA[", "&", "</td>", "\n", "<tr>", "Status: Success\n")) + body[a:]))
                    bodies.append(body)
                got = mail.parse(*bodies)
                if got is not None:
                    claimed += 1
                    self.assertIn(got["overall_status"], covebridge.STATUSES)
        self.assertGreater(claimed, len(self.mails))


class Claim(unittest.TestCase):
    """The rule claims what is ours, and nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.mail = next(m for m in load() if m.want["objects"])

    def setUp(self):
        # What is not claimed in a test is so for its change alone.
        self.assertIsNotNone(self.mail.parse(self.mail.html, self.mail.text))
        self.assertIsNotNone(self.mail.parse(None, self.mail.text))

    def test_sender(self):
        m = self.mail
        for sender in ("cove@msp.example", "COVE@MSP.example", "Cove <cove@msp.example>", '"a <b@c>" <cove@msp.example>'):
            self.assertIsNotNone(covebridge.parse(sender, m.subject, m.html, m.text), sender)
        for sender in ("", None, "x@msp.example", "cove@msp.example.evil.example", "xcove@msp.example",
                       '"cove@msp.example" <x@evil.example>', "cove@msp.example <x@evil.example>", 7):
            self.assertIsNone(covebridge.parse(sender, m.subject, m.html, m.text), sender)

    def test_empty_sender_setting_claims_nothing(self):
        kept, covebridge.SENDER = covebridge.SENDER, ""
        try:
            self.assertIsNone(covebridge.parse("", self.mail.subject, self.mail.html, self.mail.text))
        finally:
            covebridge.SENDER = kept

    def test_software(self):
        m = self.mail
        text = m.text.replace(m.want["backup_software"], "Another Backup")
        self.assertIsNone(m.parse(None, text))
        self.assertIsNone(m.parse(None, m.text.replace("Backup software", "Software")))
        self.assertIsNone(m.parse("<p>Your invoice", "Your invoice"))

    def test_contradictions(self):
        m = self.mail
        other = "Failed" if m.want["overall_status"] != "Failed" else "Success"
        self.assertIsNone(covebridge.parse(m.sender, f"[Cove] {other}: x", m.html, m.text), "subject")
        self.assertIsNone(m.parse(None, re.sub(r"(?m)^Status: \w+", "Status: " + other, m.text)), "text")
        for subject in (None, "", "anything", m.subject.replace(m.want["job_name"], "x"), m.subject + "x"):
            self.assertIsNone(covebridge.parse(m.sender, subject, m.html, m.text), subject)
        for subject in ("[EXTERNAL] " + m.subject, "FW: " + m.subject):
            self.assertIsNotNone(covebridge.parse(m.sender, subject, m.html, m.text), subject)

    def test_forged_lines(self):
        m, claimed = self.mail, 0
        for forged in ("Status: Success", "Status: Failed", "Job name: x", "Backup software: x", "Object 1 of 1: Success - x",
                       "Object 9 of 9: Success - x", "Object 1 of 2: nonsense"):
            for at in ("Customer: ", "Status: ", "Object 1 of ", "Last 28 days", "Summary: "):
                text = m.text.replace(at, forged + "\r\n" + at, 1)
                self.assertNotEqual(text, m.text, at)
                got = m.parse(None, text)
                if got is not None:
                    claimed += 1
                    self.assertEqual(m.want["overall_status"], got["overall_status"], (forged, at))
                    self.assertEqual(m.want["objects"], got["objects"], (forged, at))
        self.assertTrue(claimed)

    def test_odd_values_never_raise(self):
        odd = (None, "", 0, b"", b"\xff\xfe", [], {}, object(), "\x00" * 1000, "<" * 5000, "<!--" * 500, "&#x110000;", "<table>" * 3000,
               "Backup software:", "Backup software: Cove Data Protection\n" * 2)
        for a in odd:
            for b in odd:
                self.assertIsNone(covebridge.parse("cove@msp.example", a, a, b))
                self.assertIsNone(covebridge.parse(a, a, b, b))

    def test_what_no_one_thought_of_never_raises(self):
        class Odd(str):
            def __len__(self):
                raise RuntimeError("odd")

        self.assertIsNone(self.mail.parse(None, Odd(self.mail.text)))

    def test_random_text_never_raises(self):
        rng, claimed = random.Random(2), 0
        words = list(covebridge.HEAD) + ["Object 1 of 1: Success - x", "\n", ": ", "<td>", "<tr>", "&amp;", "</table>", "<!--", "-->", "Result: x",
                                         "Cove Data Protection", "Success", "\x00", "<![CDATA[", "Attempt 2", "Remark: "]

        def some(most):
            return "".join(rng.choice(words) for _ in range(rng.randrange(most)))

        known = {"Backup software": "Cove Data Protection", "Job name": "j", "Customer": "c", "Status": "Success"}
        keys = [key for key in covebridge.HEAD if key != "Checksum"]
        for _ in range(3000):
            body = some(60)
            covebridge.parse("cove@msp.example", body, body, body[::-1])
            # The same in the places where a name or a text may stand.
            body = "".join(f"{key}: {known.get(key) or some(4)}\n" for key in keys) + some(9)
            claimed += covebridge.parse("cove@msp.example", "[Cove] Success: j (c)", None, body) is not None
        self.assertGreater(claimed, 1000)

    def test_large_body_is_quick(self):
        m = self.mail
        start = time.monotonic()
        big = m.text.replace("Summary: ", "Summary: " + "x: y " * 300000)
        self.assertIsNotNone(m.parse(None, big))
        self.assertIsNone(m.parse(None, m.text + "x" * covebridge._MAX_BODY))
        self.assertLess(time.monotonic() - start, 20)

    def test_adapter(self):
        m = self.mail

        class MailMessage:
            from_address, subject, html_body, text_body = m.sender, m.subject, m.html, m.text

        self.assertEqual(m.parse(m.html, m.text), covebridge.parse_message(MailMessage()))
        self.assertIsNone(covebridge.parse_message(object()))
        match = covebridge.PARSER["match"]
        self.assertIn(match["from_contains"], m.sender)
        self.assertRegex(m.subject, match["subject_regex"])
        self.assertRegex(covebridge.PARSER["example"]["subject"], match["subject_regex"])


if __name__ == "__main__":
    unittest.main()
