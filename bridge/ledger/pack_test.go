package ledger

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"testing"
)

func TestPack(t *testing.T) {
	random := make([]byte, 5000)
	rand.Read(random)
	for _, plain := range [][]byte{nil, {0}, []byte("{}"), bytes.Repeat([]byte("session "), 500), random} {
		packed := pack(plain)
		if len(packed) > len(plain)+1 {
			t.Errorf("%d bytes became %d", len(plain), len(packed))
		}
		if got, err := unpack(packed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes came back as %d, %v", len(plain), len(got), err)
		}
	}
	if n := len(pack(bytes.Repeat([]byte("session "), 500))); n > 100 {
		t.Errorf("what repeats takes %d bytes", n)
	}
}

// TestUnpackDamaged: neither damage nor a bomb does more than fail.
func TestUnpackDamaged(t *testing.T) {
	var bomb bytes.Buffer
	bomb.WriteByte(deflated)
	w, err := flate.NewWriter(&bomb, flate.BestSpeed)
	must(t, err)
	zeros := make([]byte, 1<<20)
	for range maxUnpacked>>20 + 1 {
		w.Write(zeros)
	}
	w.Close()
	whole := pack(bytes.Repeat([]byte("session "), 500))
	for what, packed := range map[string][]byte{"nothing": nil, "unknown": {7, 1, 2}, "cut": whole[:len(whole)-3], "garbage": {deflated, 0xff, 0xff}, "bomb": bomb.Bytes()} {
		if plain, err := unpack(packed); err == nil {
			t.Errorf("%s: %d bytes", what, len(plain))
		}
	}
}
