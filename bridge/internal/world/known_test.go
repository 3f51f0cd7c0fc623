package world

import (
	"io"
	"testing"
	"time"
)

// The shortest forms of worlds in which something came out wrong.
func TestKnownWorlds(t *testing.T) {
	if err := Template(); err != nil {
		t.Fatal(err)
	}
	at := func(h, m int) time.Duration { return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute }
	for name, p := range map[string]Plan{
		// Of sessions back to back, whose starts statistics don't tell, each was taken
		// for the one that ran since the first of them began, and told of as overdue.
		"vague, back to back": {
			Vague: true,
			Devices: []Device{{Sessions: []Session{
				{Source: "D02", Start: at(0, 45), End: at(2, 1), Status: completed},
				{Source: "D02", Start: at(2, 3), End: at(3, 36), Status: completed},
				{Source: "D02", Start: at(3, 37), End: at(4, 53), Status: completed},
				{Source: "D02", Start: at(4, 54), End: at(5, 42), Status: completed},
				{Source: "D02", Start: at(5, 43), End: at(7, 4), Status: completed, Late: true},
			}}},
		},
		// A session that had ended was told of as overdue, while its device was not
		// among those that Cove showed.
		"overdue while out of sight": {
			F18Starts: true, Vague: true,
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 1), End: at(0, 43), Status: failed},
				{Source: "D01", Start: at(0, 43), End: at(2, 5), Status: failed},
				{Source: "D01", Start: at(2, 6), End: at(2, 7), Status: completed},
				{Source: "D01", Start: at(2, 8), End: at(2, 9), Status: withErrors, Late: true},
				{Source: "D01", Start: at(2, 10), End: at(2, 17), Status: completed},
				{Source: "D01", Start: at(2, 20), End: at(3, 39), Status: failed},
				{Source: "D01", Start: at(3, 39), End: at(3, 40), Status: completed, Late: true},
			}}},
			Episodes: []Episode{{Kind: Vanished, From: at(3, 38), To: at(6, 59)}},
			Changes:  []Change{{Kind: Paused, At: at(10, 15) + 4*time.Millisecond, For: 3 * time.Minute}},
		},
		// A session that the history listed hours late came twice: the next one, which
		// began as it ended, was taken for it, though another end told of that one.
		"listed hours late, and another begins as it ends": {
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D20", Start: at(0, 4), End: at(1, 13), Status: completed, Late: true},
				{Source: "D20", Start: at(1, 25), End: at(2, 40), Status: completed, Late: true, Delay: at(1, 53)},
				{Source: "D20", Start: at(2, 40), End: at(3, 59), Status: completed, Late: true},
			}}},
		},
		// A session was in no mail: one that the history listed hours late, and that had
		// gone out before this one ended, was taken for it.
		"listed hours late, and another begins behind it": {
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(3, 10), End: at(4, 31), Status: completed},
				{Source: "D20", Start: at(4, 29), End: at(5, 47), Status: completed, Late: true, Delay: at(8, 8)},
				{Source: "D20", Start: at(5, 50), End: at(7, 20), Status: completed},
				{Source: "D20", Start: at(7, 22), End: at(7, 25), Status: completed, Late: true},
			}}},
		},
		// A run overtook the newest one, which had ended before it, and waited for what
		// might join it still.
		"overtaken while it waits": {
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(3, 59), End: at(4, 59), Status: completed},
				{Source: "D02", Start: at(4, 0), End: at(4, 12), Status: completed},
				{Source: "D02", Start: at(4, 46), End: at(4, 57), Status: completed},
			}}},
		},
		// A session that the history listed late was in no mail: its device's clock had
		// been put back before, so that it was looked for where it could not be.
		"listed late, behind a clock that was put back": {
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 1), End: at(1, 21), Status: failed},
				{Source: "D01", Start: at(1, 22), End: at(2, 49), Status: completed, Late: true, Delay: at(0, 35)},
				{Source: "D01", Start: at(2, 51), End: at(2, 52), Status: completed, Late: true},
			}}},
			Changes: []Change{{Kind: DeviceJumped, At: at(0, 15)}},
		},
		// A session came twice: its end was a minute behind that of another, which had
		// ended hours before, by a clock that was then put back.
		"the same minutes again, after the clock was put back": {
			Skew: 20 * time.Second,
			Devices: []Device{{Sessions: []Session{
				{Source: "D02", Start: at(1, 0), End: at(1, 1), Status: completed},
				{Source: "D02", Start: at(1, 4), End: at(1, 6), Status: completed},
				{Source: "D02", Start: at(1, 7), End: at(1, 46), Status: completed},
				{Source: "D02", Start: at(5, 6), End: at(5, 8), Status: completed},
				{Source: "D02", Start: at(5, 8), End: at(5, 9), Status: completed},
				{Source: "D02", Start: at(5, 10), End: at(6, 2), Status: completed},
				{Source: "D02", Start: at(6, 3), End: at(6, 26), Status: completed, Late: true},
			}}},
			Changes: []Change{{Kind: Killed, At: at(1, 0) + 3*time.Millisecond, For: 3 * time.Minute}, {Kind: DeviceJumped, At: at(5, 0)}},
		},
		// Nothing was polled for a week: a bridge that died had taken the account while
		// the clock was a week ahead.
		"taken while the clock was ahead": {
			Bridges: 3,
			Devices: []Device{{Sessions: []Session{{Source: "D01", Start: at(3, 25), End: at(3, 26), Status: completed}}}},
			Episodes: []Episode{
				{Kind: OwnClockOff, From: at(0, 5), To: at(0, 39)},
				{Kind: CoveAway, From: at(0, 1), To: at(2, 5)},
			},
			Changes: []Change{
				{Kind: Copied, At: at(0, 30) + 2194*time.Millisecond, Bridge: 2},
				{Kind: Restored, At: at(2, 45)},
			},
		},
		// A session came twice: its start was told, a device's clock had been put back
		// before, and a start that was told of a short one had been taken for its end.
		"a start is told, after the clock was put back": {
			F18Starts: true, Skew: 3 * time.Minute,
			Devices: []Device{{Kind: Workstation, Sessions: []Session{
				{Source: "D01", Start: at(0, 2), End: at(0, 5), Status: completed},
				{Source: "D01", Start: at(3, 25), End: at(3, 51), Status: restarted},
				{Source: "D01", Start: at(4, 51), End: at(5, 43), Status: failed},
			}}},
			Changes: []Change{{Kind: DeviceJumped, At: at(0, 45)}},
		},
		// A session that had ended was told of as overdue, for the page of devices that
		// showed it failed for hours, and others did not.
		"overdue on a page that fails": {
			Devices: []Device{
				{Sessions: []Session{{Source: "D02", Start: at(2, 0), End: at(2, 5), Status: completed}}},
				{Sessions: []Session{{Source: "D02", Start: at(2, 0), End: at(2, 5), Status: completed}}},
				{Kind: Tenant, Sessions: []Session{
					{Source: "D19", Start: at(0, 1), End: at(1, 26), Status: completed, Late: true, Delay: at(7, 18)},
					{Source: "D19", Start: at(1, 39), End: at(2, 1), Status: completed, Late: true, Delay: at(10, 0)},
				}},
			},
			Episodes: []Episode{{Kind: PageFails, Device: 2, From: at(2, 2), To: at(7, 48)}},
			Changes:  []Change{{Kind: Killed, At: at(0, 30), For: at(2, 0)}},
		},
		// A session that had ended was told of as overdue: a ledger from before its end was
		// put back, while its device was not among those that Cove shows.
		"restored while the device is not shown": {
			Devices:  []Device{{Sessions: []Session{{Source: "D01", Start: at(0, 3), End: at(0, 19), Status: completed}}}},
			Episodes: []Episode{{Kind: Vanished, From: at(12, 30), To: at(16, 30)}},
			Changes:  []Change{{Kind: Copied, At: at(0, 16)}, {Kind: Restored, At: at(13, 0)}},
		},
		// A run that had ended hours before was told of as overdue: it waited for the one
		// before it, and a session was put into it that had only begun, since nobody knew when.
		"ended, and one runs since nobody knows when": {
			Vague: true, Skew: 20 * time.Second,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(4, 17), End: at(4, 21), Status: restarted},
				{Source: "D20", Start: at(6, 42), End: at(6, 47), Status: completed},
			}}},
			Changes: []Change{{Kind: Killed, At: at(0, 30), For: at(17, 0)}},
		},
		// A session that had been given up hours before was told of as overdue, once its
		// device's row told of it again, while one that takes its place might still come.
		"restarted, and its row is null": {
			Devices:  []Device{{Sessions: []Session{{Source: "D01", Start: at(2, 19), End: at(3, 37), Status: restarted}}}},
			Episodes: []Episode{{Kind: NullRow, From: at(3, 37), To: at(8, 10)}},
		},
		// A failed session was told of as Success: the next but one, whose start statistics
		// told, was taken for it, for the node was away when it ended.
		"a start is told, minutes behind one that ran as the node went away": {
			F18Starts: true,
			Devices: []Device{{Kind: Workstation, Sessions: []Session{
				{Source: "D02", Start: at(0, 14), End: at(0, 21), Status: failed},
				{Source: "D02", Start: at(0, 22), End: at(0, 23), Status: completed},
				{Source: "D02", Start: at(0, 24), End: at(0, 24), Status: completed},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 25), To: at(1, 6)}},
		},
		"the same, while another runs": {
			F18Starts: true, Vague: true,
			Devices: []Device{{Kind: Workstation, Sessions: []Session{
				{Source: "D02", Start: at(0, 14), End: at(0, 21), Status: failed},
				{Source: "D02", Start: at(0, 22), End: at(0, 23), Status: completed},
				{Source: "D02", Start: at(0, 23), End: at(1, 53), Status: completed},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 25), To: at(1, 6)}},
		},
		// A failed session was told of as Warning, without a result: it was given up while the
		// next try of its history, which the node had again for hours, was still to come.
		"given up between two tries of a history": {
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 3), End: at(0, 47), Status: failed},
				{Source: "D01", Start: at(0, 49), End: at(0, 50), Status: completed},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 56), To: at(4, 25)}},
			Changes:  []Change{{Kind: Renamed, At: at(10, 0)}},
		},
		// One that another had passed hours before is not overdue, while its history is tried again.
		"passed long ago, and the node away": {
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 3), End: at(0, 47), Status: failed},
				{Source: "D01", Start: at(0, 49), End: at(0, 50), Status: completed},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(7, 10), To: at(7, 30)}},
			Changes:  []Change{{Kind: Killed, At: at(0, 20), For: at(7, 0)}, {Kind: Renamed, At: at(14, 0)}},
		},
		// A run came twice that had gone out before the ledger was restored: its device's
		// clock is hours ahead, so that it seemed to have begun since.
		"sent by a clock that is ahead, then restored": {
			Devices: []Device{{Offset: at(6, 0), Sessions: []Session{
				{Source: "D01", Start: at(0, 3), End: at(0, 20), Status: completed},
				{Source: "D01", Start: at(0, 32), End: at(2, 1), Status: failed},
				{Source: "D01", Start: at(5, 21), End: at(6, 9), Status: completed},
			}}},
			Episodes: []Episode{{Kind: Vanished, From: at(0, 1), To: at(1, 35)}, {Kind: NodeAway, From: at(0, 1), To: at(3, 50)}},
			Changes:  []Change{{Kind: Copied, At: at(0, 30)}, {Kind: Restored, At: at(2, 30) + time.Second}},
		},
		// A run that was given up, for its session never told a result, went out
		// again after the ledger was restored.
		"given up, then restored": {
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(10, 50), End: 1 << 60, Status: inProcess},
				{Source: "D01", Start: at(12, 3), End: at(12, 4), Status: completed},
			}}},
			Changes: []Change{{Kind: Copied, At: at(2, 45)}, {Kind: Restored, At: at(14, 45)}},
		},
		// A run of which statistics alone had told went out again, after the ledger
		// was restored and the history listed it hours late.
		"listed late, after a restored ledger": {
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(3, 23), End: at(3, 43), Status: failed},
				{Source: "D19", Start: at(7, 3), End: at(7, 17), Status: failed, Late: true, Delay: at(2, 48)},
				{Source: "D19", Start: at(7, 41), End: at(7, 43), Status: completed},
			}}},
			Changes: []Change{{Kind: Copied, At: at(2, 0)}, {Kind: Restored, At: at(9, 15)}},
		},
		// The end of a long session of a tenant, which the history lists hours late,
		// was taken for that of the short one behind it, and that one's told twice.
		"long one listed behind a short one": {
			Skew: 20 * time.Second,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(7, 34), End: at(7, 36), Status: failed},
				{Source: "D19", Start: at(7, 36), End: at(9, 13), Status: completed, Late: true, Delay: at(6, 19)},
				{Source: "D19", Start: at(9, 14), End: at(9, 16), Status: withErrors, Late: true, Delay: at(0, 6)},
			}}},
		},
		// A failed session was taken for the good one that ended before it began.
		"failed for good": {
			F18Starts: true, Vague: true,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(0, 14), End: at(0, 15), Status: completed},
				{Source: "D19", Start: at(1, 15), End: at(1, 20), Status: completed, Late: true, Delay: at(2, 21)},
				{Source: "D19", Start: at(1, 21), End: at(2, 42), Status: failed},
			}}},
		},
		// A session that ran was taken for one that never ends, for a device's clock
		// was put back behind the start of the one before it.
		"clock put back behind the last session": {
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(6, 0), End: at(6, 10), Status: completed},
				{Source: "D01", Start: at(7, 56), End: at(7, 58), Status: completed},
				{Source: "D01", Start: at(12, 10), End: at(13, 25), Status: completed},
			}}},
			Changes: []Change{{Kind: DeviceJumped, At: at(11, 15)}},
		},
		// A restarted session was told of as one of its own, for it was given the
		// duration of the one before it.
		"restarted, with another's duration": {
			F18Starts: true, Vague: true, Skew: 3 * time.Minute,
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 13), End: at(0, 17), Status: completed},
				{Source: "D01", Start: at(1, 17), End: at(1, 48), Status: completed},
				{Source: "D01", Start: at(2, 48), End: at(3, 53), Status: restarted},
				{Source: "D01", Start: at(4, 5), End: at(4, 12), Status: completed},
			}}},
		},
		// A session that the history listed hours late was told of twice: the one
		// behind it, listed before, had been taken for it, as its start was near
		// the end that statistics had told of.
		"listed behind the next one": {
			F15IsEnd: true, Skew: -45 * time.Second,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(3, 22), End: at(4, 22), Status: completed, Late: true, Delay: at(2, 46)},
				{Source: "D19", Start: at(4, 23), End: at(5, 41), Status: completed, Late: true},
			}}},
		},
		// The ends that statistics told minutes late, while the node was away, were
		// taken for other sessions than those that the history had called running.
		"told late, and the node away": {
			Skew: 3 * time.Minute,
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 1), End: at(0, 36), Status: completed},
				{Source: "D01", Start: at(3, 56), End: at(5, 14), Status: completed},
				{Source: "D01", Start: at(7, 5), End: at(8, 24), Status: completed},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(8, 20), To: at(9, 2)}},
		},
		// So were those whose starts statistics tell, for they were put in the wrong order.
		"starts are told, and the node away": {
			Skew: 3 * time.Minute, F15IsEnd: true, F18Starts: true,
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 3), End: at(0, 11), Status: completed, Late: true},
				{Source: "D01", Start: at(0, 23), End: at(1, 43), Status: withErrors, Late: true, Delay: 20 * time.Minute},
				{Source: "D01", Start: at(5, 3), End: at(5, 9), Status: completed, Late: true, Delay: 10 * time.Minute},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 1), To: at(3, 37)}},
		},
		// The end of a session that was not listed yet was taken for that of one that
		// never ends, while the node was away.
		"not listed yet, behind one that never ends": {
			Devices: []Device{{Sessions: []Session{
				{Source: "D02", Start: at(0, 1), End: at(1, 5), Status: failed},
				{Source: "D02", Start: at(1, 6), End: 1 << 60, Status: inProcess},
				{Source: "D02", Start: at(1, 9), End: at(1, 14), Status: completed, Late: true, Delay: 15 * time.Minute},
				{Source: "D02", Start: at(1, 15), End: at(1, 20), Status: restarted},
				{Source: "D02", Start: at(1, 20), End: at(1, 41), Status: completed, Late: true},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(1, 24), To: at(1, 32)}},
		},
		// A short session came twice, for its start was nearer to the end that
		// statistics had told of than its own end was, on a device whose clock was
		// put back.
		"short one, and the clock put back": {
			F15IsEnd: true, Skew: -3 * time.Minute,
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 3), End: at(0, 28), Status: restarted},
				{Source: "D01", Start: at(1, 28), End: at(2, 32), Status: failed},
				{Source: "D01", Start: at(3, 32), End: at(3, 32), Status: completed},
				{Source: "D01", Start: at(4, 32), End: at(4, 32), Status: withErrors},
				{Source: "D01", Start: at(5, 32), End: at(5, 39), Status: completed},
				{Source: "D01", Start: at(6, 39), End: at(6, 40), Status: completed},
			}}},
			Changes: []Change{{Kind: DeviceJumped, At: at(3, 30)}},
		},
		// The first session of all that was seen of a device was told of twice, for
		// its start, minutes off, is what statistics told, while the node was away.
		"a start is told, minutes off, of the first session": {
			Skew: -3 * time.Minute, F15IsEnd: true, F18Starts: true,
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 2), End: at(0, 17), Status: completed},
				{Source: "D01", Start: at(1, 17), End: at(2, 47), Status: failed},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 19), To: at(2, 22)}},
		},
		// A run overtook the one before it, whose end statistics had told and the
		// history did not list yet.
		"overtaken while not listed": {
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(6, 5), End: at(6, 11), Status: failed},
				{Source: "D01", Start: at(6, 12), End: at(6, 29), Status: completed, Late: true, Delay: 50 * time.Minute},
				{Source: "D01", Start: at(6, 45), End: at(6, 50), Status: withErrors, Late: true},
			}}},
		},
		// A session that the history listed hours late came twice where statistics
		// tell starts: the next one had been taken for it, though another end that
		// waited was nearer to that.
		"a start is told, and listed hours late": {
			F18Starts: true, Skew: 20 * time.Second,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(5, 27), End: at(5, 34), Status: completed},
				{Source: "D19", Start: at(8, 54), End: at(8, 54), Status: completed, Late: true, Delay: at(1, 49)},
				{Source: "D19", Start: at(8, 55), End: at(9, 22), Status: completed},
				{Source: "D19", Start: at(12, 42), End: at(13, 50), Status: failed, Late: true},
			}}},
		},
		"starts are told, and two listed hours late": {
			F18Starts: true, Vague: true,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(0, 2), End: at(0, 16), Status: completed},
				{Source: "D19", Start: at(0, 17), End: at(0, 17), Status: completed},
				{Source: "D19", Start: at(0, 29), End: at(0, 31), Status: completed, Late: true, Delay: at(5, 6)},
				{Source: "D19", Start: at(0, 32), End: at(1, 25), Status: completed, Late: true, Delay: at(1, 1)},
			}}},
		},
		"a start is told, near the end of the one before": {
			F15IsEnd: true, F18Starts: true, Skew: -45 * time.Second,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(4, 7), End: at(4, 8), Status: completed},
				{Source: "D19", Start: at(4, 9), End: at(5, 3), Status: completed, Late: true, Delay: 29 * time.Minute},
			}}},
		},
		// A session that the history listed hours late came twice: one behind it, that
		// was given up and begun anew, was taken for it.
		"listed hours late, and restarted behind it": {
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D20", Start: at(1, 57), End: at(1, 59), Status: completed},
				{Source: "D20", Start: at(2, 11), End: at(2, 12), Status: completed, Late: true, Delay: at(1, 59)},
				{Source: "D20", Start: at(2, 15), End: at(3, 32), Status: restarted},
				{Source: "D20", Start: at(6, 52), End: at(7, 51), Status: failed},
			}}},
		},
		// Sessions that had gone out with the times that statistics told spoke for
		// these being ends, though they were starts, and a later one came twice.
		"starts are told, once the node is back": {
			Skew: -3 * time.Minute, F15IsEnd: true, F18Starts: true, Vague: true,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D20", Start: at(1, 30), End: at(1, 37), Status: completed},
				{Source: "D20", Start: at(1, 49), End: at(2, 50), Status: completed},
				{Source: "D20", Start: at(3, 2), End: at(3, 3), Status: failed},
				{Source: "D20", Start: at(4, 3), End: at(5, 14), Status: completed},
				{Source: "D20", Start: at(5, 26), End: at(5, 26), Status: failed},
				{Source: "D20", Start: at(5, 38), End: at(5, 39), Status: completed, Late: true},
				{Source: "D20", Start: at(5, 51), End: at(7, 21), Status: failed},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 1), To: at(3, 38)}},
		},
		// What statistics had told of was taken for the one before it, that had been
		// given up, for that was listed sooner.
		"listed hours late, and restarted before it": {
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(1, 43), End: at(2, 33), Status: failed},
				{Source: "D19", Start: at(2, 45), End: at(2, 46), Status: restarted, Late: true, Delay: at(2, 58)},
				{Source: "D19", Start: at(2, 46), End: at(2, 52), Status: completed, Late: true, Delay: at(4, 51)},
				{Source: "D19", Start: at(3, 52), End: at(3, 53), Status: completed, Late: true, Delay: at(2, 2)},
				{Source: "D19", Start: at(7, 13), End: at(8, 24), Status: failed},
			}}},
		},
		// A session came twice: its start was told, and the next one, whose start was told as
		// well while it was not listed yet, kept it free for itself.
		"starts are told, and the next one is listed late": {
			F18Starts: true, Skew: -45 * time.Second,
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 13), End: at(1, 42), Status: completed},
				{Source: "D01", Start: at(1, 43), End: at(1, 43), Status: completed},
				{Source: "D01", Start: at(1, 44), End: at(3, 13), Status: completed},
				{Source: "D01", Start: at(3, 16), End: at(4, 3), Status: completed, Late: true, Delay: 44 * time.Minute},
				{Source: "D01", Start: at(4, 4), End: at(4, 26), Status: withErrors, Late: true},
			}}},
		},
		// A session came twice: what statistics told of it was taken for the end of one that ran as
		// the node went away, and that the history then called restarted.
		"restarted while the node is away, and the next start taken for its end": {
			F18Starts: true, Vague: true,
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 3), End: at(1, 2), Status: restarted},
				{Source: "D01", Start: at(1, 14), End: at(1, 14), Status: completed},
				{Source: "D01", Start: at(1, 15), End: at(2, 4), Status: completed},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 27), To: at(2, 50)}},
		},
		"restarted while the node is away, and the next end taken for its own": {
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 3), End: at(1, 2), Status: restarted},
				{Source: "D01", Start: at(1, 15), End: at(2, 4), Status: completed},
				{Source: "D01", Start: at(2, 4), End: at(2, 37), Status: completed},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 27), To: at(2, 50)}},
		},
		"restarted while the node is away, and the end before taken for its own": {
			Devices: []Device{{Sessions: []Session{
				{Source: "D01", Start: at(0, 36), End: at(0, 39), Status: completed, Late: true, Delay: 10 * time.Minute},
				{Source: "D01", Start: at(0, 39), End: at(0, 51), Status: restarted},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 49), To: at(1, 46)}},
		},
		// A session that the history listed hours late came twice: the next one, whose
		// start was as near to the end told as its own end to that told of it, was taken
		// for it, though it ran when the first was told.
		"listed hours late, and another ran when that was told": {
			Skew: -45 * time.Second,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(0, 2), End: at(0, 3), Status: completed},
				{Source: "D19", Start: at(0, 4), End: at(0, 54), Status: completed, Late: true, Delay: at(2, 2)},
				{Source: "D19", Start: at(0, 54), End: at(1, 6), Status: completed, Late: true},
			}}},
		},
		"listed hours late, and a nearer one ran when that was told": {
			Skew: 40 * time.Second,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(0, 2), End: at(0, 3), Status: completed},
				{Source: "D19", Start: at(0, 4), End: at(0, 54), Status: completed, Late: true, Delay: at(2, 2)},
				{Source: "D19", Start: at(0, 54) + 5*time.Second, End: at(1, 6), Status: completed, Late: true},
			}}},
		},
		// A session came twice, and another in no mail: what statistics had told of while
		// the node was away was taken for the one before it, which had another result, for
		// that was listed sooner.
		"listed hours late, with another result, and the node away": {
			Vague: true,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(0, 6), End: at(0, 7), Status: completed, Late: true},
				{Source: "D19", Start: at(1, 36), End: at(1, 44), Status: completed, Late: true, Delay: at(0, 6)},
				{Source: "D19", Start: at(1, 45), End: at(1, 45), Status: withErrors, Late: true, Delay: at(6, 37)},
				{Source: "D19", Start: at(1, 46), End: at(1, 49), Status: completed},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 28), To: at(3, 16)}},
		},
		"a start is told, with another result": {
			F18Starts: true, Vague: true,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(0, 6), End: at(0, 7), Status: completed, Late: true},
				{Source: "D19", Start: at(1, 36), End: at(1, 44), Status: completed, Late: true, Delay: at(0, 6)},
				{Source: "D19", Start: at(1, 45), End: at(1, 45), Status: withErrors, Late: true, Delay: at(6, 37)},
				{Source: "D19", Start: at(1, 46), End: at(1, 49), Status: completed},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 28), To: at(3, 16)}},
		},
		// A session came twice: the end of the one before it, which the history listed hours
		// late, was taken for its start, though it ran when that was told.
		"listed hours late, and the next one began as it ended": {
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D20", Start: at(6, 42), End: at(6, 43), Status: completed, Late: true, Delay: at(4, 9)},
				{Source: "D20", Start: at(6, 43), End: at(7, 37), Status: completed},
			}}},
		},
		// A session that the history listed an hour late came twice: the start of the next one, which
		// was given up, was nearer to its end than what had been told of it.
		"listed an hour late, and the next one restarted": {
			Skew: -45 * time.Second,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(0, 2), End: at(1, 15), Status: completed, Late: true, Delay: at(1, 9)},
				{Source: "D19", Start: at(1, 16), End: at(1, 22), Status: restarted},
			}}},
		},
		// Statistics had told the end of the one before, with errors, and one that was over without was near enough to be it.
		"overtaken while one before is not listed": {
			Skew: -45 * time.Second,
			Devices: []Device{{Offset: 6 * time.Hour, Sessions: []Session{
				{Source: "D01", Start: at(1, 13), End: at(1, 14), Status: completed, Late: true},
				{Source: "D01", Start: at(1, 14), End: at(1, 14), Status: completed},
				{Source: "D02", Start: at(0, 54), End: at(0, 54), Status: completed},
				{Source: "D02", Start: at(0, 55), End: at(1, 2), Status: withErrors, Late: true, Delay: 14 * time.Minute},
			}}},
		},
		// A failed session was in no mail: what statistics told of a restarted one, while the
		// node was away, was taken for its end.
		"failed while the node is away, and the next one restarted": {
			F15IsEnd: true,
			Devices: []Device{{Offset: 6 * time.Hour, Sessions: []Session{
				{Source: "D01", Start: at(0, 15), End: at(0, 48), Status: failed},
				{Source: "D01", Start: at(1, 0), End: at(1, 1), Status: completed},
				{Source: "D01", Start: at(1, 1), End: at(1, 13), Status: restarted},
			}}},
			Episodes: []Episode{{Kind: NodeAway, From: at(0, 49), To: at(1, 46)}},
			Changes:  []Change{{Kind: Killed, At: at(0, 15) + 25*time.Millisecond, For: time.Minute}},
		},
		// A session that was listed hours late came twice: the next one, which ran when its
		// end was told, was taken for it, for that ended a second ahead of the bridges' clock.
		"listed hours late, and the next one ends a second ahead": {
			Skew: -45 * time.Second,
			Devices: []Device{{Kind: Tenant, Sessions: []Session{
				{Source: "D19", Start: at(5, 0), End: at(5, 53), Status: failed},
				{Source: "D19", Start: at(5, 53), End: at(5, 55), Status: completed},
				{Source: "D19", Start: at(5, 55), End: at(6, 32), Status: completed, Late: true, Delay: at(1, 51)},
				{Source: "D19", Start: at(6, 32), End: at(8, 0), Status: completed},
			}}},
			Changes: []Change{{Kind: Paused, At: at(4, 15) + 4*time.Second, For: time.Second}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p.Bridges = max(p.Bridges, 1)
			for _, problem := range run(t, p, io.Discard) {
				t.Error(problem)
			}
		})
	}
}
