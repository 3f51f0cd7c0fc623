package covesim

import (
	"fmt"
	"time"
)

// What sessions complain of, by status; anything else picks from common.
var (
	complaints = map[int]string{
		Aborted:     "Operation Aborted",
		Interrupted: "The backup was interrupted: the service was restarted",
		NotStarted:  "The machine seems to have a significant time difference with the Cloud.",
		OverQuota:   "Insufficient disk space for backup",
		NoSelection: "There is no data available for the backup. Please check your settings and environment.",
	}
	common = []string{
		"There is no data available for the backup. Please check your settings and environment.",
		"Insufficient disk space for backup",
		"[WebDAV Protocol] Failed to rename resource :  (404)",
		"Operation not permitted",
		"Der Prozess kann nicht auf die Datei zugreifen, da sie von einem anderen Prozess verwendet wird.",
		"VSS error 0x800423f4\r\nWriter name: [SqlServerWriter]\r\nWriter state: [8] Failed <b>non-retryable</b>",
		"拒绝访问。 & Status: Success",
	}
	tenantErrors = []string{
		"The mailbox is not found", "Access denied to site collection", "Item is malformed: <html>&nbsp;</html>",
		"Die Lizenz ist abgelaufen", "Request was throttled, retries are exhausted",
	}
	paths = []string{
		`C:\Users\anna\AppData\Local\Outlook\anna.ost`, `D:\Daten\Buchhaltung\Jahresabschluß.xlsx`, `/var/lib/mysql/ibdata1`,
		`E:\VM\dc01.vhdx`, `C:\Temp\"quoted" <file>.tmp`, `C:\数据\报告.docx`, "",
	}
)

// errorIDs is how many ids of errors a session has.
const errorIDs = 10

// errors gives the errors of a session that has its id and has ended.
func (f *fleet) errors(d *device, s *Session) []Error {
	switch s.Status {
	case Completed, Restarted:
		return nil
	}
	r := throw(f.options.Seed, 8, uint64(d.index), uint64(s.ID))
	rows := 1
	if s.Status == CompletedWithErrors || s.Status == Failed {
		rows += int(r.below(4))
	}
	if d.kind == tenant {
		// The same errors come again session after session.
		r = throw(f.options.Seed, 8, uint64(d.index))
	}
	length := s.End.Sub(s.Start)
	var errors []Error
	for i := range rows {
		e := Error{ID: s.ID*errorIDs + int64(i), Code: 1000 + int(r.below(900)), Text: complaints[s.Status]}
		e.Time = s.Start.Add(length / time.Duration(i+2)).Truncate(time.Second)
		if e.Text == "" {
			e.Text = pick(&r, common)
		}
		e.Count = 1
		if r.oneIn(4) {
			e.Count = 2 + r.below(70)
		}
		for k := range e.Count {
			e.Files = append(e.Files, where(d, k, &r))
		}
		if d.kind == tenant {
			e.Text = pick(&r, tenantErrors)
		}
		errors = append(errors, e)
	}
	return errors
}

// where is the kth file, mailbox or site that an error concerns.
func where(d *device, k int64, r *dice) string {
	if d.kind == tenant {
		return fmt.Sprintf("user%d@%s", 1+k, d.name)
	}
	path := pick(r, paths)
	if path != "" && k > 0 {
		path += fmt.Sprintf(".%d", k)
	}
	return path
}
