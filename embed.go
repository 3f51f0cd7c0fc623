// Package covebridge holds what the command carries with it from the top of
// its source tree.
package covebridge

import _ "embed"

// ExampleConfig is config.example.yaml: every key, commented.
//
//go:embed config.example.yaml
var ExampleConfig []byte
