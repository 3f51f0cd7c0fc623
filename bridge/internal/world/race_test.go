//go:build race

package world

// With the race detector a world takes ten times as long.
func init() { seeds = "15" }
