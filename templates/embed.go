// Package templates holds the default templates of the mails. Each can be
// replaced by a file of the same name in the directory mail.templates names;
// the comment at the head of each says what it may use.
package templates

import "embed"

// FS holds subject.tmpl, text.tmpl and html.tmpl.
//
//go:embed *.tmpl
var FS embed.FS
