package cove

import (
	"encoding/json"
	"strings"

	"covebridge/bridge/backup"
)

// nodeError reads a row of a node, or of the reporting service as far as it is alike.
func nodeError(r row) backup.Error {
	return backup.Error{
		Time: r.get("time", "timestamp").time(),
		File: truncate(r.get("filename", "path", "file").text, maxErrorText),
		Text: truncate(r.get("text", "errortext", "description", "message").text, maxErrorText),
		Code: truncate(r.get("code", "errorcode").text, 100), Count: max(r.get("count").count(), 1),
	}
}

// m365Error reads a row whose description is JSON written as text, or plain text.
func m365Error(r row) backup.Error {
	e := nodeError(r)
	item := r.get("item").text
	var inner row
	if text := strings.TrimSpace(r.get("description").text); strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &inner) == nil {
		if what := inner.get("description", "message", "text").text; what != "" {
			e.Text = truncate(what, maxErrorText)
			item = strings.TrimSpace(inner.get("entity").text + " " + inner.get("path").text)
			if item == "" {
				item = r.get("item").text
			}
		}
	}
	if item != "" {
		e.File = truncate(item, maxErrorText)
	}
	return e
}
