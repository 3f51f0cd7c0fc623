package bridge

import "covebridge/bridge/finding"

// The kinds of findings that the bridge as a whole raises.
var (
	unwritable = finding.Kind{Name: "ledger_unwritable", Severity: finding.Failed, What: "the ledger can't be written"}
)
