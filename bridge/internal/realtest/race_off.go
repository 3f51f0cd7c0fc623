//go:build !race

package realtest

const race = false
