package web

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("covebridge_"+name, help, labels, nil)
}

var (
	upDesc         = describe("ledger_up", "1: the ledger can be read; 0: it can't, and what is read from it is missing.")
	bridgesDesc    = describe("bridge_info", "A bridge that runs on this ledger.", "bridge", "version")
	deliveriesDesc = describe("deliveries_total", "Deliveries of this bridge: sent, found (in doubt, and there already), retried (in vain, to be tried again), failed (given up).", "outcome")
	devicesDesc    = describe("devices", "Devices of an account, as of the last poll that read all.", "account")
	unreadableDesc = describe("devices_without_history", "Devices of an account whose session history can't be read.", "account")
	lastGoodDesc   = describe("last_good_poll_timestamp_seconds", "When the account was last polled well.", "account")
	todayDesc      = describe("runs_today", "Runs that ended since midnight in mail.timezone.", "status")
	mailsDesc      = describe("outbox_mails", "Mails that wait to be delivered.")
	oldestDesc     = describe("outbox_oldest_seconds", "For how long the oldest mail waits; 0: none does.")
	givenUpDesc    = describe("outbox_given_up", "Mails given up within a week and not sent since.")
	medianDesc     = describe("lag_median_seconds", "From a backup's end to its mail: the median of a day.")
	worstDesc      = describe("lag_worst_seconds", "From a backup's end to its mail: the worst of a day.")
	findingsDesc   = describe("findings", "What is wrong at present, by its name.", "name", "severity")
)

// statusCollector tells how things stand, at each scrape.
type statusCollector struct {
	bridge Bridge
	cache  *statusCache
}

// Describe tells what Collect gives.
func (statusCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{upDesc, bridgesDesc, deliveriesDesc, devicesDesc, unreadableDesc, lastGoodDesc, todayDesc,
		mailsDesc, oldestDesc, givenUpDesc, medianDesc, worstDesc, findingsDesc} {
		descs <- d
	}
}

// Collect reads the bridge's status. Where the ledger can't be read, what is in
// it is left out: no figure is better than a wrong one.
func (s statusCollector) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	now, err := s.cache.get()
	for outcome, n := range s.bridge.Deliveries() {
		metrics <- prometheus.MustNewConstMetric(deliveriesDesc, prometheus.CounterValue, float64(n), outcome)
	}
	found := map[[2]string]int{}
	for _, f := range now.Findings {
		found[[2]string{f.Name, string(f.Severity)}]++
	}
	for f, n := range found {
		gauge(findingsDesc, float64(n), f[0], f[1])
	}
	for _, a := range now.Accounts {
		gauge(devicesDesc, float64(a.Devices), a.Name)
		gauge(unreadableDesc, float64(a.Unreadable), a.Name)
		if !a.LastGood.IsZero() {
			gauge(lastGoodDesc, float64(a.LastGood.UnixMilli())/1000, a.Name)
		}
	}
	bridges := map[[2]string]bool{} // containers can have one name
	for _, b := range now.Bridges {
		if b.Alive(now.At) && !bridges[[2]string{b.Name, b.Version}] {
			bridges[[2]string{b.Name, b.Version}] = true
			gauge(bridgesDesc, 1, b.Name, b.Version)
		}
	}
	if err != nil {
		gauge(upDesc, 0)
		return
	}
	gauge(upDesc, 1)
	for status, n := range now.Today {
		gauge(todayDesc, float64(n), status.String())
	}
	gauge(mailsDesc, float64(now.Backlog.Mails))
	oldest := time.Duration(0)
	if !now.Backlog.Oldest.IsZero() {
		oldest = now.At.Sub(now.Backlog.Oldest)
	}
	gauge(oldestDesc, oldest.Seconds())
	gauge(givenUpDesc, float64(now.Backlog.Failed))
	gauge(medianDesc, now.Lag.Median.Seconds())
	gauge(worstDesc, now.Lag.Worst.Seconds())
}
