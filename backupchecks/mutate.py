"""What happens to bodies on their way through Exchange and mail gateways."""

import html as entities
import re
import textwrap
from html.entities import codepoint2name
from html.parser import HTMLParser


class _Tidy(HTMLParser):
    """Writes HTML anew, as Exchange does: every tag closed, attributes quoted
    and changed, tbody added, characters as named or hexadecimal references."""

    VOID = {"meta", "br", "hr", "!doctype"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.out, self.open = [], []

    def close_to(self, tags, stop=("table",)):
        while self.open and self.open[-1] not in stop:
            tag = self.open.pop()
            self.out.append(f"</{tag.upper()}>\n")
            if tag in tags:
                break

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.close_to(("tr",), ("table", "tbody"))
        elif tag in ("td", "th"):
            self.close_to(("td",), ("tr", "table"))
        elif tag in ("table", "p"):
            self.close_to(("p",), ("td", "table"))
        self.out.append(f'<{tag.upper()} class="x_{tag}" data-ogsb="" ' + " ".join(f'{k}="{v}"' for k, v in attrs if k != "style") + ">")
        if tag == "table":
            self.out.append("<tbody>")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open:
            last = self.open.pop()
            self.out.append(f"</{last.upper()}>\n" if last != "table" else "</tbody></TABLE>\n")
            if last == tag:
                break

    def handle_data(self, data):
        for c in data:
            name = codepoint2name.get(ord(c))
            self.out.append(f"&{name};" if name else c if c < "\x7f" else f"&#x{ord(c):X};")


def tidy(html):
    t = _Tidy()
    t.feed(html)
    t.close()
    while t.open:
        t.handle_endtag(t.open[-1])
    return "".join(t.out)


def wrap_source(html):
    """Breaks the source at spaces, where HTML lets it be broken."""
    return re.sub(r">[^<]+", lambda m: "\r\n\t".join(m.group().split(" ")), html)


def exchange(html):
    return ('<html xmlns:o="urn:x"><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
            "<style><!-- P {margin:0} --></style><title>Status: Success</title></head><body dir=ltr>"
            '<table><tr><td><div class="banner">CAUTION: this mail came from outside. Status: unknown</div></td></tr>'
            "<tr><td>" + tidy(html) + "</td></tr></table><p>This mail is confidential.</p></body></html>")


def paragraphs(html):
    """Puts a paragraph into each cell, as Outlook does."""
    return re.sub(r"<td([^>]*)>([^<]*)", r'<td\1><p class="MsoNormal"><span>\2<o:p></o:p></span></p></td>', html)


HTML = {
    "as sent": lambda h: h,
    "LF": lambda h: h.replace("\r\n", "\n"),
    "no line ends": lambda h: re.sub(r"\s*[\r\n]+\s*", " ", h),
    "spaces": lambda h: h.replace(" ", "  "),
    "tidied": tidy,
    "wrapped": wrap_source,
    "exchange": exchange,
    "exchange, wrapped": lambda h: wrap_source(exchange(h)),
    "paragraphs": paragraphs,
    "no attributes": lambda h: re.sub(r"<(\w+)( [^>]*)>", r"<\1>", h),
    "hexadecimal": lambda h: re.sub(r"&#(\d+);", lambda m: f"&#x{int(m.group(1)):x};", h),
    "inline tags": lambda h: re.sub(r"<td([^>]*)>([^<]*)", r"<td\1><b><font face=x>\2</font></b>", h),
}

TEXT = {
    "as sent": lambda t: t,
    "LF": lambda t: t.replace("\r\n", "\n"),
    "CR": lambda t: t.replace("\r\n", "\n").replace("\n", "\r"),
    "no indent": lambda t: re.sub(r"(?m)^[ \t]+", "", t),
    "trailing spaces": lambda t: re.sub(r"(?m)(\r?\n)", r"  \1", t),
    "empty lines": lambda t: t.replace("\n", "\n\n"),
    "no empty lines": lambda t: re.sub(r"\n(\r?\n)+", "\n", t),
    "tabs": lambda t: re.sub(r"(?m)^( *[A-Z][^:\n]*:) ", "\\1\t", t),
    "no-break spaces": lambda t: t.replace(" ", "\u00a0"),
    "banner and footer": lambda t: "CAUTION: outside\n\n" + t + "\n\n-- \nStay safe: really\n",
}


def wrapped(text):
    """Breaks long lines, which can set a forged line free."""
    return "\n".join(textwrap.fill(line, 40, break_long_words=False, break_on_hyphens=False) for line in text.splitlines())


def every_break(text, word):
    """Breaks lines before each occurrence of a word, the worst that a gateway could do."""
    return text.replace(" " + word, "\n" + word)


def converted(html):
    """The text that Exchange makes of HTML: cells apart by tabs, rows on lines."""
    rows = re.sub(r"\s*<tr[^>]*>", "\n", html.replace("\r\n", " "))
    rows = re.sub(r"<td[^>]*>", "\t", re.sub(r"</table>|<p>", "\n", rows.replace("<li>", "\n* ")))
    return entities.unescape(re.sub(r"<[^>]*>", "", rows))


def recoded(body):
    """A body whose characters a gateway could not keep."""
    return body.encode("latin-1", "replace").decode("latin-1")


