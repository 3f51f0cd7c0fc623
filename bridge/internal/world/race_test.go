//go:build race

package world

import "runtime"

func init() {
	seeds = "15" // with the race detector a world takes ten times as long

	// Two goroutines of a bubble whose timers are due at once must not run them
	// at the same moment: the race detector itself crashes then (go.dev/issue/78156).
	// It sees as much on one processor, for it goes by what happens before what.
	runtime.GOMAXPROCS(1)
}
