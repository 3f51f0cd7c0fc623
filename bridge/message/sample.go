package message

import (
	"time"

	"covebridge/bridge/backup"
)

// samples are runs of every kind, on which New tries the templates, so that a
// mistake shows when the program starts and not when the first backup fails.
func samples() []backup.Run {
	end := time.Date(2026, 11, 24, 2, 31, 12, 0, time.UTC)
	start := end.Add(-31 * time.Minute)
	device := backup.Device{
		Product: "sample", Software: "Sample Backup", ID: "1234567", Name: "srv01_ab12c", Alias: "Files", Computer: "SRV01",
		OS: "Windows Server 2019 Standard", Type: backup.Server, Customer: "Acme BV",
		Reference: "C-1042", Profile: "Servers", Location: "Netherlands", Machine: "Virtual", Console: "https://console.example/1234567",
		Storage:      backup.Storage{Cloud: backup.CopyRunning, Vault: backup.CopySynchronised},
		CustomerPath: []string{"MSP", "Acme BV"}, UsedStorage: 12_345_678_901,
		ColourBar: []backup.Day{{Date: "2026-11-23"}, {Date: "2026-11-24", Word: "Completed", Status: backup.Success}},
	}
	session := backup.Session{
		ID: "826", Source: backup.DataSource{Key: "D01", Name: "Files and folders"}, State: backup.Ended,
		Status: backup.Warning, Result: "CompletedWithErrors (8)", Start: start, End: end,
		SelectedCount: 1200, SelectedBytes: 3_400_000_000, ProcessedCount: 12, ProcessedBytes: 56_000_000,
		Before:    &backup.Amounts{SelectedBytes: 3_000_000_000, SelectedCount: backup.Unknown, SentBytes: 7_800_000},
		SentBytes: 7_800_000, ErrorCount: 3,
		Errors: []backup.Error{{Time: end, File: `C:\pagefile.sys`, Text: "Access is denied", Code: "5", Count: 3}},
	}
	full := backup.Run{
		ID: "sample-1", Kind: backup.Whole, Job: "srv01_ab12c", Device: device, Source: &session.Source,
		Sessions: []backup.Session{session}, Status: backup.Warning, Start: start, End: end, InRow: 2,
		Since: start.Add(-time.Hour), Good: []backup.Good{{Source: session.Source, End: start.Add(-48 * time.Hour)}},
		Previous: &backup.Totals{SelectedBytes: 3_000_000_000}, Remarks: []string{"A remark."},
	}
	bare := backup.Run{ID: "sample-2", Kind: backup.Whole, Job: "bare", Device: backup.Device{Name: "bare", UsedStorage: backup.Unknown}, Start: start, End: end}
	running := session
	running.State, running.Result, running.End, running.Errors = backup.Running, "InProcess (1)", time.Time{}, nil
	overdue := backup.Run{ID: "sample-3", Kind: backup.Overdue, Job: "srv01_ab12c", Device: device,
		Sessions: []backup.Session{running}, Status: backup.Warning, Start: start, End: end, Limit: 24 * time.Hour}
	silence := backup.Run{ID: "sample-4", Kind: backup.Silence, Job: "srv01_ab12c", Device: device,
		Status: backup.Warning, End: end, Limit: 48 * time.Hour, Last: []backup.Session{session}}
	own := session
	own.Source, own.Result, own.Start, own.End, own.Before = backup.DataSource{Key: "mailbox", Name: "Mailbox"}, "8 mails delivered", time.Time{}, time.Time{}, nil
	heartbeat := backup.Run{ID: "sample-6", Kind: backup.Heartbeat, Job: "covebridge", Sessions: []backup.Session{own}, Status: backup.Warning, Start: end, End: end,
		Device: backup.Device{Product: "sample", Software: "Sample Backup", ID: "self", Name: "covebridge", Type: backup.HeartbeatType, UsedStorage: backup.Unknown}}
	job := session
	job.Source, job.Result = backup.DataSource{Key: "sample-1", Name: "srv01_ab12c"}, "Files and folders CompletedWithErrors (8)"
	digest := backup.Run{ID: "sample-7", Kind: backup.Digest, Job: "Acme BV digest", Sessions: []backup.Session{job}, Status: backup.Warning, Start: start, End: end,
		Device: backup.Device{Product: "sample", Software: "Sample Backup", ID: "digest-55", Name: "Acme BV digest", Type: backup.DigestType, Customer: "Acme BV", UsedStorage: backup.Unknown}}
	tried := session
	tried.Source, tried.Result, tried.Errors = backup.DataSource{Key: "recovery", Name: "Recovery"}, "CompletedWithErrors", nil
	recovery := backup.Run{ID: "sample-5", Kind: backup.Recovery, Job: "srv01_ab12c recovery test", Device: device, Sessions: []backup.Session{tried},
		Status: backup.Warning, Start: start, End: end, Recovered: &backup.Recovered{Backup: start.Add(-time.Hour), Plan: "Every 14 days"}}
	return []backup.Run{full, bare, overdue, silence, heartbeat, digest, recovery}
}
