package web

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
	"covebridge/bridge/status"
)

// busy is a bridge with something of everything.
func busy() *fake {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	bridge := status.Bridge{Name: "backup1:1", Version: "v1", Until: now.Add(time.Minute)}
	return &fake{status: status.Status{
		At:       now,
		Bridges:  []status.Bridge{bridge, bridge, {Name: "backup2:1", Version: "v1"}},
		Accounts: []status.Account{{Name: "msp", Devices: 40, Unreadable: 2, LastGood: now.Add(-time.Minute)}, {Name: "new"}},
		Today:    map[backup.Status]int{backup.Success: 7, backup.Failed: 1},
		Backlog:  status.Backlog{Mails: 3, Oldest: now.Add(-90 * time.Second), Failed: 4},
		Lag:      status.Lag{Runs: 8, Median: time.Minute, Worst: time.Hour},
		Findings: []finding.Finding{
			{Name: "polls_failing", Subject: "msp", Severity: finding.Failed}, {Name: "polls_failing", Subject: "new", Severity: finding.Failed},
			{Name: "mails_late", Severity: finding.Warning},
		},
	}}
}

// metrics is what a scrape brings after something of everything.
func metrics(t *testing.T, b *fake) string {
	t.Helper()
	s := serve(t, b, "")
	s.Metrics.Call("api.example", "Login", "ok")
	s.Metrics.Call("api.example", "Login", "ok")
	s.Metrics.Poll("msp", "failed")
	s.Metrics.Queued("Warning")
	resp, body := ask(t, s, "GET", "/metrics")
	if resp.StatusCode != 200 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	return body
}

func TestMetrics(t *testing.T) {
	lines := strings.Split(metrics(t, busy()), "\n")
	for _, want := range []string{
		`covebridge_cove_calls_total{host="api.example",method="Login",outcome="ok"} 2`,
		`covebridge_polls_total{account="msp",outcome="failed"} 1`,
		`covebridge_runs_queued_total{status="Warning"} 1`,
		`covebridge_deliveries_total{outcome="sent"} 5`,
		`covebridge_deliveries_total{outcome="found"} 1`,
		`covebridge_deliveries_total{outcome="retried"} 2`,
		`covebridge_deliveries_total{outcome="failed"} 3`,
		`covebridge_ledger_up 1`,
		`covebridge_bridge_info{bridge="backup1:1",version="v1"} 1`,
		`covebridge_devices{account="msp"} 40`,
		`covebridge_devices_without_history{account="msp"} 2`,
		`covebridge_last_good_poll_timestamp_seconds{account="msp"} 1.79586714e+09`,
		`covebridge_runs_today{status="Failed"} 1`,
		`covebridge_outbox_mails 3`,
		`covebridge_outbox_oldest_seconds 90`,
		`covebridge_outbox_given_up 4`,
		`covebridge_lag_median_seconds 60`,
		`covebridge_lag_worst_seconds 3600`,
		`covebridge_findings{name="polls_failing",severity="Failed"} 2`,
		`covebridge_findings{name="mails_late",severity="Warning"} 1`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, none := range []string{`covebridge_bridge_info{bridge="backup2:1"`, `covebridge_last_good_poll_timestamp_seconds{account="new"`} {
		if slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, none) }) {
			t.Errorf("there is %s", none)
		}
	}
}

// Where nothing waits, nothing waits for long.
func TestMetricsOfAnEmptyOutbox(t *testing.T) {
	b := busy()
	b.status.Backlog = status.Backlog{}
	if body := metrics(t, b); !strings.Contains(body, "\ncovebridge_outbox_oldest_seconds 0\n") {
		t.Error(body)
	}
}

// Where the ledger can't be read, no figure of it is shown as 0.
func TestMetricsWithoutLedger(t *testing.T) {
	b := busy()
	b.err = errors.New("away")
	body := metrics(t, b)
	if !strings.Contains(body, "\ncovebridge_ledger_up 0\n") || !strings.Contains(body, `covebridge_findings{name="mails_late"`) {
		t.Error(body)
	}
	for _, none := range []string{"covebridge_outbox_mails", "covebridge_runs_today", "covebridge_lag_median_seconds"} {
		if strings.Contains(body, none) {
			t.Errorf("there is %s", none)
		}
	}
}

// Cove names its storage nodes as it likes.
func TestHostsAreBounded(t *testing.T) {
	m := NewMetrics()
	for i := range 10 * maxHosts {
		m.Call(fmt.Sprintf("\xffnode%d\n", i), "QuerySessions", "ok")
	}
	all, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range all {
		if n := len(family.Metric); family.GetName() == "covebridge_cove_calls_total" && n != maxHosts+1 {
			t.Errorf("%d time series", n)
		}
	}
}

var (
	used    = regexp.MustCompile(`covebridge_\w+(\{[^}]*\})?`)
	matcher = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)`)
	legend  = regexp.MustCompile(`\{\{\s*\$?(?:labels\.)?(\w+)\s*\}\}|by \((\w+(?:, *\w+)*)\)`)
)

// Every metric, and every label, that the dashboard and the alerts use exists.
func TestDashboardAndAlerts(t *testing.T) {
	labels := map[string]string{} // by metric: its labels, joined
	for line := range strings.Lines(metrics(t, busy())) {
		if name := used.FindString(line); strings.HasPrefix(line, name) && name != "" {
			name, set, _ := strings.Cut(name, "{")
			labels[name] += set
		}
	}
	if len(labels) < 15 {
		t.Fatalf("only %d metrics: %v", len(labels), labels)
	}
	everything := strings.Join(slices.Collect(func(yield func(string) bool) {
		for _, set := range labels {
			if !yield(set) {
				return
			}
		}
	}), ",")
	seen := map[string]bool{}
	for _, path := range []string{"../../deploy/grafana-dashboard.json", "../../deploy/alerts.yaml"} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(data), `\"`, `"`) // as it stands in JSON
		var parsed any
		if err := yaml.Unmarshal(data, &parsed); err != nil { // JSON is YAML
			t.Errorf("%s: %v", path, err)
		}
		for _, use := range used.FindAllString(text, -1) {
			name, condition, _ := strings.Cut(use, "{")
			seen[name] = true
			set, known := labels[name]
			if !known {
				t.Errorf("%s: there is no %s", path, name)
			}
			for _, m := range matcher.FindAllStringSubmatch(condition, -1) {
				if !strings.Contains(set, m[1]+"=") {
					t.Errorf("%s: %s has no label %s", path, name, m[1])
				}
			}
		}
		for _, m := range legend.FindAllStringSubmatch(text, -1) {
			for _, label := range strings.Split(m[1]+m[2], ",") {
				// instance is Prometheus' own, value is no label.
				if label = strings.TrimSpace(label); label != "value" && label != "instance" && !strings.Contains(everything, label+"=") {
					t.Errorf("%s: there is no label %s", path, label)
				}
			}
		}
	}
	for name := range labels {
		if !seen[name] && name != "covebridge_bridge_info" && name != "covebridge_runs_today" {
			t.Errorf("%s is in neither dashboard nor alerts", name)
		}
	}
}
