package cove

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/ratio"
)

// aPageOf is a page of devices with all columns of four data sources each.
func aPageOf(devices int) string {
	var rows []string
	for id := range devices {
		settings := []string{
			fmt.Sprintf(`{"I0":"%d"},{"I1":"srv%02d_ab12c"}`, 1000000+id, id), `{"I8":"Acme BV"},{"I14":"123456789012"}`,
			`{"I16":"Windows Server 2019 Standard (17763), 64-bit"},{"I18":"SRV01"}`, `{"I32":"2"},{"I59":"1"}`, `{"I78":"D01D02D10D14"}`,
			`{"D09F08":"5555555055555550555555555852"}`,
		}
		for _, s := range []source{1, 2, 10, 14} {
			for _, f := range askedFields {
				v := "1795400000"
				if f == fStatus || f == fDoneStatus {
					v = "5"
				}
				settings = append(settings, fmt.Sprintf(`{%q:%q}`, column(s, f), v))
			}
		}
		rows = append(rows, fmt.Sprintf(`{"AccountId":%d,"PartnerId":5,"Flags":null,"Settings":[%s]}`, 1000000+id, strings.Join(settings, ",")))
	}
	return `{"result":{"result":[` + strings.Join(rows, ",") + `]}}`
}

// Reading a page of 250 devices, keys and fingerprints, beside a bare scan of
// its tokens.
func BenchmarkPage(b *testing.B) {
	text := aPageOf(250)
	b.SetBytes(int64(len(text)))
	dec := jsontext.NewDecoder(strings.NewReader(""))
	var p page
	row := pageRow{p: &p}
	ratio.Of(b, "tokens", func() {
		dec.Reset(strings.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		for {
			if _, err := dec.ReadToken(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}, func() {
		if _, _, err := readEnvelope(strings.NewReader(text), replyBytes(250), false, func(dec *decoder) error { return p.read(dec, 250) }); err != nil {
			b.Fatal(err)
		}
		for _, s := range p.rows {
			row.show(s)
		}
	})
}

// canned is a transport that answers from what was prepared, and costs little.
type canned struct{ login, page string }

func (c canned) RoundTrip(req *http.Request) (*http.Response, error) {
	call, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	text := aPage
	switch {
	case bytes.Contains(call, []byte(`"Login"`)):
		text = c.login
	case bytes.Contains(call, []byte(`"StartRecordNumber":0`)):
		text = c.page
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: req}, nil
}

// Fewer than five allocations a device, with the calls and all.
func TestAllocations(t *testing.T) {
	c := (&fakeCove{}).client(func(o *Options) { o.Transport = canned{login, aPageOf(250)} })
	n := 0
	read := func() {
		err := c.Devices(context.Background(), backup.Selection{}, func(r backup.Row) error {
			if len(r.Key()) == 0 || r.Fingerprint() == 0 {
				t.Error("no key or fingerprint")
			}
			n++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if each := testing.AllocsPerRun(5, read) / 250; each >= 5 || n != 6*250 {
		t.Errorf("%.1f allocations a device, %d devices", each, n)
	}
}
