"""Reads mails with Python's email package and fails on any defect."""
import email
import email.policy
import sys

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        message = email.message_from_binary_file(file, policy=email.policy.default)
    parts = list(message.walk())
    kinds = [part.get_content_type() for part in parts]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"], (path, kinds)
    for part in parts:
        assert not part.defects, (path, part.defects)
        for name, value in part.items():
            assert not getattr(value, "defects", None), (path, name, value.defects)
        if part.get_content_maintype() == "text":
            text = part.get_content()
            assert text.isprintable() or all(c.isprintable() or c == "\n" for c in text), path
            assert "\ufffd" not in text, path
    assert message["Message-ID"].endswith("@covebridge>"), path
    assert message["Date"].datetime.tzinfo is not None, path
print(f"{len(sys.argv) - 1} mails, no defects")
