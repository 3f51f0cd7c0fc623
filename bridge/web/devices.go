package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

// bar is a device's last days.
type bar struct {
	Days  []day
	Label string // the same in words
}

type day struct{ Class, Title string }

func newBar(days []backup.Day) bar {
	var b bar
	count := map[backup.Status]int{}
	for _, d := range days {
		class, word := "none", "no session"
		if d.Word != "" {
			count[d.Status]++
			class, word = strings.ToLower(d.Status.String()), d.Word
		}
		b.Days = append(b.Days, day{class, d.Date + ": " + word})
	}
	b.Label = fmt.Sprintf("%d days: %d Success, %d Warning, %d Failed", len(days), count[backup.Success], count[backup.Warning], count[backup.Failed])
	return b
}

// devices lists devices with their last 28 days, by their keys.
func (s *Server) devices(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	data := struct {
		head
		Text    string
		Devices []ledger.DeviceStatus
		First   string // address of the first page; empty: this is it
		Next    string // address of the next page; empty: this is the last
	}{head: head{Title: "Devices", Part: "devices"}, Text: v.Get("q")}
	after := v.Get("after")
	if after != "" {
		data.First = withCursor(r.URL, "")
	}
	text := strings.ToLower(strings.TrimSpace(data.Text))
	for len(data.Devices) <= perPage {
		some, err := s.Ledger.DevicesAfter(r.Context(), after, 4*perPage)
		if err != nil {
			return err
		}
		if len(some) == 0 {
			break
		}
		for _, d := range some {
			if matches(d, text) {
				d.ColourBar = backup.WithRuns(d.ColourBar, d.Past, s.zone())
				data.Devices = append(data.Devices, d)
			}
		}
		after = some[len(some)-1].Key()
	}
	if len(data.Devices) > perPage {
		data.Devices = data.Devices[:perPage]
		v.Set("after", data.Devices[perPage-1].Key())
		data.Next = "/devices?" + v.Encode()
	}
	return s.show(w, http.StatusOK, "devices.html", data)
}

// matches tells whether a text in lower case is part of one of the device's names.
func matches(d ledger.DeviceStatus, text string) bool {
	for _, name := range append([]string{d.Name, d.Alias, d.Computer, d.Customer, d.Account, d.Key()}, d.CustomerPath...) {
		if strings.Contains(strings.ToLower(name), text) {
			return true
		}
	}
	return false
}

// device shows one device and its runs.
func (s *Server) device(w http.ResponseWriter, r *http.Request) error {
	key := r.PathValue("device")
	record, err := s.Ledger.Load(r.Context(), key)
	if err != nil {
		return err
	}
	list, err := s.list(r, ledger.Query{Device: key})
	if err != nil {
		return err
	}
	d, account := record.Journal.Device, record.Account
	if d.ID == "" && len(list.Runs) > 0 { // covebridge itself has runs, and no journal
		d, account = list.Runs[0].Run.Device, list.Runs[0].Account
	}
	if d.ID == "" {
		return problem{http.StatusNotFound, fmt.Sprintf("No device %q was seen.", key)}
	}
	d.ColourBar = backup.WithRuns(d.ColourBar, record.Journal.Past, s.zone())
	console := ""
	if u, err := url.Parse(d.Console); err == nil && u.Scheme == "https" && u.Host != "" {
		console = d.Console
	}
	data := struct {
		head
		listing
		backup.Device
		Account   string
		NoHistory string
		Facts     [][2]string
		Console   string // address of the device in the product's console; empty: none that can be trusted
	}{head{Title: d.Name, Part: "devices"}, list, d, account, record.Journal.NoHistory, facts(d), console}
	return s.show(w, http.StatusOK, "device.html", data)
}

// facts are what is known of a device, each with its name.
func facts(d backup.Device) (known [][2]string) {
	add := func(name, value string) {
		if value != "" {
			known = append(known, [2]string{name, value})
		}
	}
	path := strings.Join(d.CustomerPath, " › ")
	add("Type", d.Type)
	if path != d.Customer {
		add("Customer path", path)
	}
	add("Alias", d.Alias)
	add("Computer", d.Computer)
	add("Operating system", d.OS)
	add("Machine", d.Machine)
	add("Profile", d.Profile)
	add("Reference", d.Reference)
	add("Storage location", d.Location)
	add("Cloud copy", string(d.Storage.Cloud))
	add("LocalSpeedVault", string(d.Storage.Vault))
	add("Id", d.ID)
	return known
}
