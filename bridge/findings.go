package bridge

import "covebridge/bridge/finding"

// The kinds of findings about one account.
var (
	loginRefused    = finding.Kind{Name: "login_refused", Severity: finding.Failed, What: "the login is refused; the account is not polled"}
	pollsFailing    = finding.Kind{Name: "polls_failing", Severity: finding.Failed, What: "poll failed; the next one makes up for it"}
	devicesFailing  = finding.Kind{Name: "devices_failing", Severity: finding.Warning, What: "devices could not be worked on; they will be tried again at the next poll"}
	devicesMissing  = finding.Kind{Name: "devices_missing", Severity: finding.Failed, What: "no devices are shown, or fewer than half as many as before"}
	devicesNameless = finding.Kind{Name: "devices_nameless", Severity: finding.Warning, What: "devices are left out until their names can be read"}
	historyLost     = finding.Kind{Name: "history_unreadable", Severity: finding.Warning, What: "session histories can't be read: statistics, which show only each data source's last session, must do until they can"}
	clockOff        = finding.Kind{Name: "clock_off", Severity: finding.Warning, What: "this machine's clock and Cove's disagree"}
	testsFailing    = finding.Kind{Name: "recovery_tests_failing", Severity: finding.Warning, What: "recovery tests can't be read"}
)

// The kinds of findings about the bridge as a whole.
var (
	ledgerUnwritable = finding.Kind{Name: "ledger_unwritable", Severity: finding.Failed, What: "the ledger can't be written"}
	diskFull         = finding.Kind{Name: "disk_full", Severity: finding.Failed, What: "the disk is full"}
	diskFilling      = finding.Kind{Name: "disk_nearly_full", Severity: finding.Warning, What: "the disk is nearly full"}
	pageDown         = finding.Kind{Name: "page_down", Severity: finding.Warning, What: "the status page can't be served; everything else goes on"}
	heartbeatFailing = finding.Kind{Name: "heartbeat_failing", Severity: finding.Warning, What: "no heartbeat or digest can be sent"}
	mailsLate        = finding.Kind{Name: "mails_late", Severity: finding.Warning, What: "mails come late"}
)
