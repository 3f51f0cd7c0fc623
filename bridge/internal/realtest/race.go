package realtest

// Raced gives how much a test does: the whole, and under the race detector less,
// for there it takes about eight times as long and finds no more. `make test`
// runs such a test in both ways (WHOLE in the Makefile).
func Raced(whole, less int) int {
	if race {
		return less
	}
	return whole
}
