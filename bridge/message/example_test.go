package message_test

import (
	"fmt"
	"strings"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/message"
)

// The same run becomes the same mail each time, to the byte.
func ExampleRenderer_Render() {
	renderer, err := message.New(message.Options{From: "cove@msp.example", To: []string{"backups@msp.example"}, Location: time.UTC})
	if err != nil {
		fmt.Println(err)
		return
	}
	device := backup.Device{Product: "cove", Software: "Cove Data Protection", ID: "1100062", Name: "srv02_8re09", Customer: "Globex BV"}
	end := time.Date(2026, 11, 28, 2, 20, 0, 0, time.UTC)
	session := backup.Session{Source: backup.DataSource{Key: "D01", Name: "Files and folders"}, State: backup.Ended, Status: backup.Failed,
		Result: "Failed (2)", Start: end.Add(-20 * time.Minute), End: end}
	mail, err := renderer.Render(backup.Run{ID: backup.Identity(device, nil, session.Start, backup.Whole), Job: device.Name, Kind: backup.Whole,
		Device: device, Sessions: []backup.Session{session}, Status: backup.Failed, Start: session.Start, End: end})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mail.MessageID)
	for line := range strings.Lines(string(mail.Bytes)) {
		if strings.HasPrefix(line, "Subject:") {
			fmt.Println(strings.TrimSpace(line))
		}
	}
	// Output:
	// cove-1100062-20261128T020000Z@covebridge
	// Subject: [Cove] Failed: srv02_8re09 (Globex BV)
}
