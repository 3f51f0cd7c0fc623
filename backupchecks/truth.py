"""What a run means, worked out from its JSON without the bridge's code.

The tests compare the parser rule with this. Times are shown at UTC+1, as the
test mails have them.
"""

import datetime

ZONE = datetime.timezone(datetime.timedelta(hours=1))
WORDS = ("Success", "Warning", "Failed")
STOPPED = {
    "", "aborted", "operation aborted", "operation cancelled", "operation canceled",
    "the operation was aborted", "the operation was canceled", "cancelled", "canceled",
    "interrupted", "restarted", "failed", "error", "unknown error",
}
DROPPED = set("\u061c\u200e\u200f\u00ad\u200b\u2060\ufeff\ufffe\uffff\ufff9\ufffa\ufffb"
              "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text, limit=None):
    text = "".join(" " if c < " " or "\x7f" <= c <= "\x9f" else c for c in text if c not in DROPPED)
    text = " ".join(text.split())
    if limit and len(text) > limit:
        text = text[:limit - 1].rstrip(" ") + "…"
    return text


def expected(run):
    """The status, job name and objects that a reader must find."""
    silent = run["kind"] in ("silence", "long-silence")
    sessions = run.get("last" if silent else "sessions") or []
    folded = [fold(s.get("errors") or []) for s in sessions]
    shown = share([len(f) for f in folded], 50)
    return {
        "backup_software": clean(run["device"]["software"]),
        "backup_type": "Recovery test" if run["kind"] == "recovery-test" else clean(run["device"]["type"]),
        "job_name": clean(run["job"]),
        "overall_status": run["status"],
        "objects": [
            {
                "name": clean(s["source"]["name"], 200) or clean(s["source"]["key"], 200),
                "type": "Data source",
                "status": run["status"] if silent else s["status"] if s["state"] == "ended" else "Warning",
                "message": message(s, silent, errors, n),
            }
            for s, errors, n in zip(sessions, folded, shown)
        ],
    }


def message(s, silent, errors, shown):
    result = clean(s["result"], 200) or "-"
    if silent:
        result = "nothing since; last: " + result
    result += when(s)
    number = max(s["error_count"], sum(max(e["count"], 1) for e in s.get("errors") or []), 0)
    if number:
        result += f"; {number:,} error" + ("s" if number != 1 else "")
        lines = [line(e, s["start"]) for e in errors[:shown]]
        if len(errors) > shown:
            lines.append(f"and {len(errors) - shown:,} more")
        if lines:
            result += ": " + "; ".join(lines[:3]) + ("; ..." if len(lines) > 3 else "")
    if clean(s.get("errors_missing", "")):
        result += "; no error texts: " + clean(s["errors_missing"], 1000)
    return result


def time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(ZONE)


def when(s):
    if not s.get("end") and s["start"].startswith("0001"):
        return ""  # a part of a recovery test
    start, about = time(s["start"]), "about " if s.get("approx") else ""
    if not s.get("end"):
        return f", since {about}{start:%Y-%m-%d %H:%M:%S}"
    end = time(s["end"])
    to = f"{end:%H:%M:%S}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    return f", {about}{start:%Y-%m-%d %H:%M:%S} to {to} ({span(end - start)})"


def span(delta):
    seconds = max(int(delta.total_seconds()), 0)
    h, m, s = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{h}h {m:02}m {s:02}s" if h else f"{m}m {s:02}s" if m else f"{s}s"


def fold(errors):
    """Equal errors in one, the most telling first: see Fold in bridge/message."""
    groups, order = {}, []
    for e in errors:
        e = dict(text=clean(e["text"], 600), file=clean(e.get("file", ""), 400), code=clean(e.get("code", ""), 200),
                 count=max(e["count"], 1), time=e.get("time", ""))
        key = (e["text"], e["code"], e["file"])
        if key not in groups:
            groups[key] = e
            order.append(e)
            continue
        groups[key]["count"] += e["count"]
        if e["time"]:
            groups[key]["time"] = min(filter(None, (groups[key]["time"], e["time"])), key=time)
    sharing = {}
    for e in order:
        sharing[e["text"]] = sharing.get(e["text"], 0) + 1
    return sorted(order, key=lambda e: (
        e["text"].strip(" .!:").lower() in STOPPED, sharing[e["text"]], -e["count"],
        time(e["time"]).timestamp() if e["time"] else -1,
        e["text"].encode(), e["file"].encode(), e["code"].encode()))


def share(wants, total):
    got = [0] * len(wants)
    while total and any(g < w for g, w in zip(got, wants)):
        for i, w in enumerate(wants):
            if total and got[i] < w:
                got[i] += 1
                total -= 1
    return got


def line(e, start):
    text = e["text"] or "(no text)"
    if e["code"] not in ("", "0") and e["code"] not in e["text"]:
        text += f" (error code {e['code']})"
    if e["file"]:
        text += f" [{e['file']}]"
    if e["count"] > 1:
        text += f", {e['count']:,} times"
    if e["time"]:
        at, start = time(e["time"]), time(start)
        text += f", {at:%H:%M:%S}" if at.date() == start.date() else f", {at:%Y-%m-%d %H:%M:%S}"
    return text
