package covesim

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// lookup gives the value of a column or field; "" where it is absent.
type lookup func(name string) string

// filter is a condition, or a part of one: it gives a value, where "1" is true
// and "0" false. Values that are numbers compare as numbers, and an absent one is 0.
type filter func(lookup) string

func (f filter) matches(l lookup) bool { return f(l) == "1" }

func truth(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// parseFilter reads the language of both the statistics' Filter and the nodes'
// query: comparisons, &, in (…), =~ with stars, N.hour().ago(), AND, OR, !,
// parentheses. An empty text matches everything.
func parseFilter(text string, now time.Time) (f filter, err error) {
	if strings.TrimSpace(text) == "" {
		return func(lookup) string { return "1" }, nil
	}
	p := parser{now: now}
	if p.tokens, err = tokens(text); err != nil {
		return nil, err
	}
	defer func() {
		if e, ok := recover().(syntaxError); ok {
			f, err = nil, fmt.Errorf("%q is no condition: %s", text, string(e))
		}
	}()
	f = p.or()
	if len(p.tokens) > 0 {
		panic(syntaxError("unexpected " + p.tokens[0]))
	}
	return f, nil
}

// syntaxError is how the parser gives up.
type syntaxError string

type parser struct {
	tokens []string
	now    time.Time
}

var token = regexp.MustCompile(`^\s*(\d+\.\w+\(\)\.ago\(\)|-?\d+|'[^']*'|"[^"]*"|[A-Za-z_]\w*@?|&&|\|\||==|!=|<=|>=|=~|[<>!&(),])\s*`)

func tokens(text string) (list []string, err error) {
	for text != "" {
		m := token.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("%q: what is this?", text)
		}
		list = append(list, m[1])
		text = text[len(m[0]):]
	}
	return list, nil
}

// accept takes the next token if it is one of those.
func (p *parser) accept(any ...string) (got string) {
	for _, t := range any {
		if len(p.tokens) > 0 && strings.EqualFold(p.tokens[0], t) {
			p.tokens = p.tokens[1:]
			return t
		}
	}
	return ""
}

func (p *parser) need(t string) {
	if p.accept(t) == "" {
		panic(syntaxError("there is no " + t))
	}
}

func (p *parser) or() filter {
	f := p.and()
	for p.accept("OR", "||") != "" {
		a, b := f, p.and()
		f = func(l lookup) string { return truth(a.matches(l) || b.matches(l)) }
	}
	return f
}

func (p *parser) and() filter {
	f := p.not()
	for p.accept("AND", "&&") != "" {
		a, b := f, p.not()
		f = func(l lookup) string { return truth(a.matches(l) && b.matches(l)) }
	}
	return f
}

func (p *parser) not() filter {
	if p.accept("!", "NOT") == "" {
		return p.comparison()
	}
	f := p.not()
	return func(l lookup) string { return truth(!f.matches(l)) }
}

func (p *parser) comparison() filter {
	a := p.bits()
	if p.accept("in") != "" {
		p.need("(")
		list := []filter{p.bits()}
		for p.accept(",") != "" {
			list = append(list, p.bits())
		}
		p.need(")")
		return func(l lookup) string {
			for _, b := range list {
				if compare(a(l), b(l)) == 0 {
					return "1"
				}
			}
			return "0"
		}
	}
	op := p.accept("==", "!=", "<=", ">=", "=~", "<", ">")
	if op == "" {
		return a
	}
	b := p.bits()
	return func(l lookup) string { return truth(holds(op, a(l), b(l))) }
}

func (p *parser) bits() filter {
	f := p.primary()
	for p.accept("&") != "" {
		a, b := f, p.primary()
		f = func(l lookup) string {
			x, _ := strconv.ParseInt(a(l), 10, 64)
			y, _ := strconv.ParseInt(b(l), 10, 64)
			return strconv.FormatInt(x&y, 10)
		}
	}
	return f
}

func (p *parser) primary() filter {
	if p.accept("(") != "" {
		f := p.or()
		p.need(")")
		return f
	}
	if len(p.tokens) == 0 {
		panic(syntaxError("something is missing at its end"))
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	switch {
	case strings.HasSuffix(t, ".ago()"):
		return constant(p.ago(t))
	case t[0] == '\'' || t[0] == '"':
		return constant(t[1 : len(t)-1])
	case t[0] == '-' || '0' <= t[0] && t[0] <= '9':
		return constant(t)
	case 'A' <= t[0]&^0x20 && t[0]&^0x20 <= 'Z' || t[0] == '_':
		return func(l lookup) string { return l(t) }
	}
	panic(syntaxError("unexpected " + t))
}

func constant(value string) filter { return func(lookup) string { return value } }

// ago reads "2.hours().ago()".
func (p *parser) ago(t string) string {
	part := strings.Split(t, ".")
	n, _ := strconv.Atoi(part[0])
	unit, ok := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": day}[strings.TrimSuffix(strings.TrimSuffix(part[1], "()"), "s")]
	if !ok {
		panic(syntaxError("unknown unit " + part[1]))
	}
	return strconv.FormatInt(p.now.Add(-time.Duration(n)*unit).Unix(), 10)
}

func holds(op, a, b string) bool {
	switch op {
	case "=~":
		return glob(b, a)
	case "==":
		return compare(a, b) == 0
	case "!=":
		return compare(a, b) != 0
	case "<":
		return compare(a, b) < 0
	case ">":
		return compare(a, b) > 0
	case "<=":
		return compare(a, b) <= 0
	}
	return compare(a, b) >= 0
}

// compare orders numbers by size and anything else as texts.
func compare(a, b string) int {
	x, errX := number(a)
	y, errY := number(b)
	if errX != nil || errY != nil {
		return strings.Compare(a, b)
	}
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func number(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	return strconv.ParseInt(s, 10, 64)
}

// glob matches a text with a pattern in which a star stands for anything.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(text, first) || !strings.HasSuffix(text[len(first):], last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}
