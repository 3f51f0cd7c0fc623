"""Tests of the rule's reading, line by line."""

import unittest
import zlib

import covebridge


class Grammar(unittest.TestCase):
    """Each rule about lines by itself: in whole mails several guard against the same."""

    LINES = ["Backup software: Cove Data Protection", "Backup type: Server", "Job name: j", "Customer: c", "Customer path: p", "Device: d",
             "Computer: -", "Operating system: -", "Account ID: 1", "Status: Warning", "Start: -", "End: -", "Duration: -", "Selected: -",
             "Processed: -", "Sent: -", "Used storage: -", "Errors: 1", "Run: 1", "Summary: s", "",
             "Object 1 of 2: Warning - a", "  Result: r", "  Errors: 1", "  Error: e", "", "Object 2 of 2: Success - b", "  Result: q", "",
             "Remark: m", "Last 28 days: -"]

    def read(self, old=None, *new):
        """What is read once a line of the mail has given place to others."""
        lines = list(self.LINES)
        if old:
            at = lines.index(old)
            lines[at:at + 1] = new
        return self.read_lines(lines)

    def read_lines(self, lines):
        return covebridge.parse("cove@msp.example", "[Cove] Warning: j (c)", None, "\n".join(lines))

    def test_as_written(self):
        self.assertEqual(self.read(), {
            "backup_software": "Cove Data Protection", "backup_type": "Server", "job_name": "j",
            "overall_status": "Warning", "overall_message": "s m", "objects": [
                {"name": "a", "type": "Data source", "status": "Warning", "message": "r; 1 error: e"},
                {"name": "b", "type": "Data source", "status": "Success", "message": "q"}]})

    def test_claimed_all_the_same(self):
        for old, new in (("Customer path: p", []), ("Job name: j", ["Job name: j", "", "CAUTION", "x"]),
                         ("  Result: q", ["  Result: q", "", "CAUTION"]), ("Remark: m", ["CAUTION", "Remark: m"]),
                         ("Last 28 days: -", ["Last 28 days: -", "-- ", "Stay safe"])):
            self.assertEqual(self.read(old, *new), self.read(), new)

    def test_broken_lines_are_put_together(self):
        self.assertEqual(self.read("Summary: s", "Summary: s", "t")["overall_message"], "s t m")
        self.assertEqual(self.read("Job name: j", "Job name:", "j")["job_name"], "j")
        self.assertEqual(self.read("  Error: e", "  Error: e", "f")["objects"][0]["message"], "r; 1 error: e f")

    def test_not_claimed(self):
        for old, *new in (
                ("Status: Warning", "Status: Great"), ("Status: Warning", "Status: "),
                ("Status: Warning",), ("Summary: s",), ("Job name: j", "Job name: j", "k"), ("Job name: j", "Job name:", "", "j"),
                ("Customer: c", "Customer: d"), ("Summary: s", "Summary: 2 of 2 data sources succeeded."),
                ("Object 1 of 2: Warning - a", "Object 1 of 2: Failed - a"), ("Object 1 of 2: Warning - a", "Object 1 of 2: Success - a"),
                ("  Error: e", "  Error: e", "Object 2 of 2: Success - x"), ("Run: 1", "Run: 1", "Checksum: 00000000"),
                ("Job name: j", "Job name: j", "Job name: k"), ("Job name: j", "Status: Success", "Job name: j"),
                ("Backup software: Cove Data Protection",) + ("Backup software: Cove Data Protection",) * 2,
                ("  Result: q", "  Result: q", "Status: Success"), ("Remark: m", "Remark: m", "Errors: 0"),
                ("Last 28 days: -", *self.LINES),
                ("Object 2 of 2: Success - b",), ("Object 2 of 2: Success - b", "Object 3 of 2: Success - b"),
                ("Object 2 of 2: Success - b", "Object 1 of 2: Success - b"), ("Object 2 of 2: Success - b", "Object 2 of 3: Success - b"),
                ("Object 1 of 2: Warning - a", "Object 1 of 3: Warning - a"), ("Object 2 of 2: Success - b", "Object 2 of 2: Fine - b"),
                ("Object 2 of 2: Success - b", "Remark: m", "Object 2 of 2: Success - b")):
            self.assertIsNone(self.read(old, *new), (old, new))

    def test_head_in_another_order_is_not_claimed(self):
        for i in range(len(covebridge.HEAD) - 2):  # the lines have no checksum
            lines = list(self.LINES)
            lines[i], lines[i + 1] = lines[i + 1], lines[i]
            self.assertIsNone(self.read_lines(lines), lines[i])

    def test_checksum(self):
        """With the right one, keys may come in any order, and what it covers must be as it was written."""
        covered = "Cove Data Protection\nServer\nj\nWarning\nWarning - a\nSuccess - b"
        lines = [f"Checksum: {zlib.crc32(covered.encode()):08x}" if line == "Run: 1" else line for line in self.LINES]
        lines.insert(12, "Run: 1")
        self.assertEqual(self.read_lines(lines), self.read())
        for old, new in (("Backup type: Server", "Backup type: Workstation"), ("Object 1 of 2: Warning - a", "Object 1 of 2: Warning - c"),
                         ("Object 2 of 2: Success - b", "Object 2 of 2: Warning - b")):
            self.assertIsNone(self.read_lines([new if line == old else line for line in lines]), new)

    def test_html(self):
        def read(rows):
            return covebridge.parse("cove@msp.example", "[Cove] Warning: j (c)", "<table>" + rows, None)

        rows = "".join("<tr><td>{}:<td>{}".format(*line.strip().split(": ", 1)) for line in self.LINES if line)
        for changed in (rows, "</table></table><table>" + rows + "</table></table>",
                        rows.replace("<td>j", "<td>j<style>k</style><script>l</script>"),
                        rows.replace("<td>j", "<td><div>j</div>")):
            self.assertEqual(read(changed), self.read(), changed)


if __name__ == "__main__":
    unittest.main()
