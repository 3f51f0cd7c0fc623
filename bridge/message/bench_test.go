package message

import (
	"bytes"
	"io"
	"testing"

	"covebridge/bridge/internal/ratio"
)

// Rendering an ordinary run, beside reading its mail back.
func BenchmarkRender(b *testing.B) {
	r, err := New(Options{From: "cove@msp.example", To: []string{"backups@msp.example"}})
	if err != nil {
		b.Fatal(err)
	}
	run := samples()[0]
	m, err := r.Render(run)
	if err != nil {
		b.Fatal(err)
	}
	ratio.Of(b, "read", func() {
		if _, err := Read(io.NopCloser(bytes.NewReader(m.Bytes))); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if _, err := r.Render(run); err != nil {
			b.Fatal(err)
		}
	})
}
