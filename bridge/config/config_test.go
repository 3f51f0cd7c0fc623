package config

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// good is the least that works, on the lines 1 to 4. Tests add to it or change it.
const good = `cove: [{name: msp, username: u, password: p}]
mail: {from: cove@msp.example, to: [backups@msp.example]}
delivery: {directory: mails}
log: {level: info}
`

// change replaces one text of good, which must be there.
func change(t *testing.T, old, new string) string {
	t.Helper()
	if !strings.Contains(good, old) {
		t.Fatalf("%q is not in the good configuration", old)
	}
	return strings.Replace(good, old, new, 1)
}

// files is a file system of secrets; a file can be missing or refused.
var files = map[string]string{
	"/run/credentials/cove": "from-systemd\n", "/etc/covebridge/cove": "from-the-folder\r\n",
	"/etc/covebridge/imap": "imap-secret", "/etc/covebridge/empty": "\n",
}

func readTestFile(path string) ([]byte, fs.FileMode, error) {
	if path == "/etc/covebridge/refused" {
		return nil, 0, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	content, ok := files[path]
	if !ok {
		return nil, 0, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return []byte(content), 0o600, nil
}

func environment(pairs ...string) Env {
	return Env{Dir: "/etc/covebridge", Read: readTestFile, Lookup: func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}}
}

func TestBadConfigurations(t *testing.T) {
	const account = "{name: msp, username: u, password: p}"
	dir := "delivery: {directory: mails}"
	imap := func(more string) string {
		return change(t, dir, "delivery: {imap: {address: 'mail.example:993', username: u, password: p"+more+"}}")
	}
	smtp := func(more string) string {
		return change(t, dir, "delivery: {smtp: {address: 'mail.example:587', username: u, password: p"+more+"}}")
	}
	for _, test := range []struct {
		name, config string
		want         []string // problems, without the file's name
	}{
		{"unknown key", change(t, "password: p", "pasword: p"),
			[]string{`1: unknown key "pasword" in cove[0]; did you mean "password"?`}},
		{"unknown key at the top", good + "pol: {}\n",
			[]string{`5: unknown key "pol" at the top; did you mean "poll"?`}},
		{"key in the wrong place", good + "interval: 1m\n",
			[]string{`5: unknown key "interval" at the top; it belongs under poll`}},
		{"key unlike any", good + "http: {colour: red}\n",
			[]string{`5: unknown key "colour" in http; known are listen, token, token_file`}},
		{"merge key", good + "silence:\n  <<: {server: 1h}\n",
			[]string{"6: << is not supported in silence: write the keys out"}},
		{"key twice", good + "mail: {}\n",
			[]string{"5: mail: it is there twice, first on line 2"}},
		{"syntax", good + "poll: {interval: 1m\n",
			[]string{"5: what begins with \"{\" has commas between its keys and ends with \"}\""}},
		{"variable between braces", change(t, "password: p", "password: ${HUNTER}"),
			[]string{`1: what begins with "{" has commas between its keys and ends with "}"; between { and } a variable must be quoted, as "${VAR}"`}},
		{"scanner", good + "a: b: c\n", []string{"5: a \":\" is not expected here: indent the line as its neighbours, or quote a value that holds \": \""}},
		{"password that looks like an alias", good + "http:\n  token: *hunter2\n",
			[]string{`6: a value that begins with "*" must be quoted`}},
		{"password that looks like an anchor", good + "http:\n  token: &hunter2\n",
			[]string{`6: http.token: a value that begins with "&" must be quoted`}},
		{"password that looks like a tag", good + "http:\n  token: !hunter2\n",
			[]string{`6: http.token: a value that begins with "!" must be quoted`}},
		{"empty", "# nothing\n", []string{" it is empty: covebridge init writes a commented one"}},
		{"a list", "- cove\n", []string{"1: keys such as cove, mail and delivery are expected at the top"}},
		{"two documents", good + "---\ncove: []\n",
			[]string{"5: a second document begins here (---): one is expected"}},

		{"bad duration", good + "poll: {interval: 15 minutes}\n",
			[]string{`5: poll.interval: a duration such as 15m, 24h or 2d is expected, not "15 minutes"`}},
		{"duration without unit", good + "poll: {sweep: 60}\n",
			[]string{`5: poll.sweep: a duration such as 15m, 24h or 2d is expected, not "60"`}},
		{"negative duration", good + "poll: {run_window: -1m}\n",
			[]string{`5: poll.run_window: a duration such as 15m, 24h or 2d is expected, not "-1m"`}},
		{"not a number", good + "poll: {page_size: many, rate: NaN}\n",
			[]string{`5: poll.page_size: a whole number is expected, not "many"`, `5: poll.rate: a number is expected, not "NaN"`}},
		{"numbers without an end", good + "poll: {page_size: 9223372036854775808, rate: Inf}\n", []string{
			`5: poll.page_size: a whole number is expected, not "9223372036854775808"`, `5: poll.rate: a number is expected, not "Inf"`}},
		{"not a truth", imap(", create: yes"),
			[]string{`3: delivery.imap.create: true or false is expected, not "yes"`}},
		{"not a list", good + "filter: {customers: {include: Acme}}\n",
			[]string{"5: filter.customers.include: a list such as [one, two] is expected, not a single value"}},
		{"account that is no list", change(t, "["+account+"]", account),
			[]string{`1: cove: a list is expected, each entry beginning with "- ", not keys`}},
		{"keys for a value", change(t, "from: cove@msp.example", "from: {a: b}"),
			[]string{"2: mail.from: a single value is expected, not keys"}},
		{"value for keys", good + "silence: 48h\n",
			[]string{"5: silence: keys are expected below it, not a single value"}},

		{"several at once", "cove: []\nmail: {from: x, to: []}\nlog: {level: loud}\n", []string{
			"1: cove: missing: set at least one Cove login, with name, username and password",
			"1: delivery: missing: set one of imap, smtp and directory",
			`2: mail.from: a mail address such as backups@msp.example is expected, not "x"`,
			"2: mail.to: missing: the addresses that mails go to, such as [backups@msp.example]",
			`3: log.level: debug, info, warn or error is expected, not "loud"`}},

		{"domain that can't be", change(t, "cove@msp.example", `a@-bücher.de`),
			[]string{`2: mail.from: "a@-bücher.de" is no domain that can exist: correct what stands behind the @`}},

		{"interval too short", good + "poll: {interval: 900ms}\n",
			[]string{`5: poll.interval: 1s or more is expected, not "900ms"`}},
		{"out of bounds", good + "poll: {page_size: 5001, rate: 0, concurrency: 65, history: never}\n", []string{
			`5: poll.history: auto or off is expected, not "never"`,
			`5: poll.page_size: 1 to 5000 is expected, not "5001"`,
			`5: poll.concurrency: 1 to 64 is expected, not "65"`,
			`5: poll.rate: more than 0 calls per second are expected, not "0"`}},

		{"incomplete account", change(t, account, "{partner: Acme}"), []string{
			"1: cove[0].name: missing: give the account a short name",
			"1: cove[0].username: missing: the name of Cove's API user",
			"1: cove[0].password: missing: the token of Cove's API user, or password_file: PATH"}},
		{"account name", change(t, "name: msp", "name: my msp"),
			[]string{`1: cove[0].name: letters, digits, ".", "_" and "-" are expected, not "my msp"`}},
		{"account twice", change(t, account, account+", "+account), []string{
			"1: cove[1].name: cove[0] has the same name: each account needs its own",
			"1: cove[1]: it is the same login and customer as cove[0]: remove one"}},
		{"negative customer", change(t, "name: msp", "name: msp, partner_id: -1"),
			[]string{`1: cove[0].partner_id: 0 or a customer's number is expected, not "-1"`}},
		{"no address", change(t, "name: msp", "name: msp, url: backup.management"),
			[]string{`1: cove[0].url: an address such as https://host/path is expected, not "backup.management"`}},
		{"password in an address", change(t, "name: msp", "name: msp, url: 'https://u:hunter2@h/'"),
			[]string{"1: cove[0].url: a user name or password in the address is not supported: use username and password"}},
		{"password in a broken address", change(t, "name: msp", "name: msp, url: 'https://u:hun/ter2@h/'"),
			[]string{"1: cove[0].url: an address such as https://host/path is expected"}},
		{"plain http", change(t, "name: msp", "name: msp, reporting_url: 'http://cove.example/'"),
			[]string{"1: cove[0].reporting_url: http:// would send the password in the clear: use https://, or set allow_plaintext: true beside it"}},
		{"plain http to others", change(t, "name: msp", "name: msp, recovery_url: 'http://cove.example/', node_url: 'http://HOST/'"), []string{
			"1: cove[0].recovery_url: http:// would send the password in the clear: use https://, or set allow_plaintext: true beside it",
			"1: cove[0].node_url: http:// would send the password in the clear: use https://, or set allow_plaintext: true beside it"}},

		{"filter", good + "filter: {devices: {include: ['{a'], exclude: ['']}, types: [Laptop], statuses: [Fail]}\n", []string{
			`5: filter.devices.include[0]: "{a" is no pattern (*, ?, [abc] and {a,b} have a meaning; write \ before one that has none)`,
			"5: filter.devices.exclude[0]: a pattern such as Acme* is expected, not an empty text",
			`5: filter.types[0]: Server, Workstation or Microsoft 365 is expected, not "Laptop"`,
			`5: filter.statuses[0]: Success, Warning or Failed is expected, not "Fail"; did you mean "Failed"?`}},
		{"filters and silence", good + "filter: {customers: {exclude: ['[']}, data_sources: {include: ['[']}}\nsilence: {exclude: {profiles: ['['], devices: ['']}}\n", []string{
			`5: filter.customers.exclude[0]: "[" is no pattern (*, ?, [abc] and {a,b} have a meaning; write \ before one that has none)`,
			`5: filter.data_sources.include[0]: "[" is no pattern (*, ?, [abc] and {a,b} have a meaning; write \ before one that has none)`,
			`6: silence.exclude.profiles[0]: "[" is no pattern (*, ?, [abc] and {a,b} have a meaning; write \ before one that has none)`,
			"6: silence.exclude.devices[0]: a pattern such as Acme* is expected, not an empty text"}},
		{"not in the cloud", good + "job: {not_in_cloud: Error}\n", []string{
			`5: job.not_in_cloud: Success, Warning or Failed is expected, not "Error"`}},
		{"job", good + "job: {group_by: customer, name: '{{.Device', status_map: {CompletedWithError: Warning, 9: Failed, 8: Good}}\n", []string{
			`5: job.group_by: device or data_source is expected, not "customer"`,
			"5: job.name: it can't be read as a template (unclosed action): use {{.Device.Name}}",
			`5: job.status_map.8: Success, Warning or Failed is expected, not "Good"`,
			"5: job.status_map.9: it is no result, for the session goes on: remove it",
			`5: job.status_map.CompletedWithError: a number or a word of Cove's is expected as the key; did you mean "CompletedWithErrors"?`}},
		{"results that never match", good + "job:\n  status_map:\n    08: Failed\n    +5: Warning\n    ' 5': Failed\n    '0x8': Failed\n    -1: Failed\n", []string{
			`7: job.status_map.08: write the number as 8: Cove's results never match "08"`,
			`8: job.status_map.+5: write the number as 5: Cove's results never match "+5"`,
			"9: job.status_map. 5: a number or a word of Cove's is expected as the key",
			"10: job.status_map.0x8: a number or a word of Cove's is expected as the key"}},
		{"a result twice", good + "job:\n  status_map:\n    CompletedWithErrors: Failed\n    8: Warning\n    Aborted: Failed\n    2: Success\n    3: Failed\n", []string{
			"8: job.status_map.8: CompletedWithErrors on line 7 is the same result: keep one",
			"11: job.status_map.3: Aborted on line 9 is the same result: keep one"}},
		{"a result twice in one line", good + "job: {status_map: {8: Warning, CompletedWithErrors: Failed}}\n", []string{
			"5: job.status_map.CompletedWithErrors: 8 on line 5 is the same result: keep one"}},
		{"a key of a map twice", good + "job: {status_map: {8: Warning, 8: Failed}}\n", []string{
			"5: job.status_map.8: it is there twice, first on line 5"}},
		{"time zone", change(t, "mail: {", "mail: {timezone: Europe/Atlantis, "),
			[]string{`2: mail.timezone: a time zone such as Europe/Amsterdam or UTC is expected, not "Europe/Atlantis"`}},
		{"console without TLS", change(t, "mail: {", "mail: {console: 'http://console.example/{id}', "),
			[]string{"2: mail.console: an address that begins with https:// and has {id} in it is expected, or on, or off"}},
		{"console without the device", change(t, "mail: {", "mail: {console: 'https://console.example/', "),
			[]string{"2: mail.console: an address that begins with https:// and has {id} in it is expected, or on, or off"}},
		{"local time zone", change(t, "mail: {", "mail: {timezone: Local, "),
			[]string{`2: mail.timezone: a time zone such as Europe/Amsterdam or UTC is expected, not "Local"`}},
		{"recipient", change(t, "[backups@msp.example]", `[backups@msp.example, "a@b\r\nBcc: c@d"]`),
			[]string{`2: mail.to[1]: a mail address such as backups@msp.example is expected, not "a@b\r\nBcc: c@d"`}},

		{"two deliveries", change(t, dir, "delivery: {directory: mails, imap: {address: 'h:1', username: u, password: p}}"),
			[]string{"3: delivery: set one of imap, smtp and directory (only imap may stand beside smtp, to ask it what arrived)"}},
		{"empty imap", change(t, dir, "delivery: {imap: {}}"), []string{
			"3: delivery.imap.address: missing: the server and its port, such as mail.example:993",
			"3: delivery.imap.username: missing: the name to log in with"}},
		{"imap", change(t, dir, "delivery: {imap: {address: mail.example, tls: ssl, username: u, mailbox: '', connections: 33}}"), []string{
			`3: delivery.imap.address: a server and its port such as mail.example:993 is expected, not "mail.example"`,
			`3: delivery.imap.tls: tls, starttls or none is expected, not "ssl"; did you mean "tls"?`,
			"3: delivery.imap.password: missing: the password, or password_file: PATH",
			"3: delivery.imap.mailbox: missing: the folder that mails are put into, such as INBOX",
			`3: delivery.imap.connections: 1 to 32 is expected, not "33"`}},
		{"imap in the clear", imap(", tls: none"),
			[]string{"3: delivery.imap.tls: none would send password and mails in the clear: use tls or starttls, or set allow_plaintext: true beside it"}},
		{"smtp", change(t, dir, "delivery: {smtp: {address: 'mail.example:0', password: p, rate: -1}}"), []string{
			`3: delivery.smtp.address: a server and its port such as mail.example:587 is expected, not "mail.example:0"`,
			"3: delivery.smtp.username: missing: the name to log in with; leave out the password too for none",
			`3: delivery.smtp.rate: 0 or a number of mails per minute is expected, not "-1"`}},
		{"xoauth2 alone", smtp(", auth: xoauth2"),
			[]string{"3: delivery.smtp.auth: xoauth2 needs client_id, client_secret and tenant (or token_url) in delivery.oauth2"}},
		{"xoauth2 without a tenant", change(t, dir, "delivery: {smtp: {address: 'mail.example:587', username: u, auth: xoauth2}, oauth2: {client_id: i, client_secret: s}}"),
			[]string{"3: delivery.smtp.auth: xoauth2 needs client_id, client_secret and tenant (or token_url) in delivery.oauth2"}},
		{"oauth2", change(t, dir, "delivery: {directory: mails, oauth2: {tenant: a/b, token_url: 'http://login.example/'}}"), []string{
			"3: delivery.oauth2.token_url: http:// would send the password in the clear: use https://",
			`3: delivery.oauth2.tenant: a tenant's id or domain is expected, not "a/b"`}},

		{"two ledgers", good + "ledger: {sqlite: a.db, postgres: 'postgres://h/d'}\n",
			[]string{"5: ledger: sqlite and postgres are both set: keep one"}},
		{"no ledger", good + "ledger: {sqlite: ''}\n",
			[]string{"5: ledger: missing: set sqlite to a file or postgres to a database"}},
		{"other database", good + "ledger: {postgres: 'mysql://u:hunter2@h/d'}\n",
			[]string{"5: ledger.postgres: postgres://user:password@host/database or host=… dbname=… is expected"}},

		{"seldom heartbeat", good + "heartbeat: {every: 2d}\n", []string{
			"5: heartbeat.every: 2d is out of range: 1h to 24h, or 0 for none"}},
		{"digests all the time", good + "digest: {every: 59m}\n", []string{
			"5: digest.every: 59m is out of range: 1h to 24h, or 0 for none"}},

		{"page for everybody", good + "http:\n  listen: 0.0.0.0:8642\n", []string{
			`6: http.token: missing: others than this machine can reach "0.0.0.0:8642": set a token (openssl rand -hex 16 makes one), or listen: 127.0.0.1:8642`}},
		{"page at every address", good + "http: {listen: ':80'}\n", []string{
			`5: http.token: missing: others than this machine can reach ":80": set a token (openssl rand -hex 16 makes one), or listen: 127.0.0.1:80`}},
		{"token that can be guessed", good + "http: {token: hunter2}\n",
			[]string{"5: http.token: 16 letters or more are expected: openssl rand -hex 16 makes a token"}},
		{"page nowhere", good + "http: {listen: localhost}\n",
			[]string{`5: http.listen: an address and a port such as 127.0.0.1:8642 is expected, or off, not "localhost"`}},

		{"variable not set", change(t, "password: p", `password: "${MISSING}"`),
			[]string{"1: cove[0].password: environment variable MISSING is not set"}},
		{"variable empty", change(t, "password: p", `password: "${EMPTY}"`),
			[]string{"1: cove[0].password: missing: the token of Cove's API user, or password_file: PATH"}},
		{"variable without a name", change(t, "username: u", "username: '${a b}'"),
			[]string{"1: cove[0].username: ${ begins a variable such as ${COVE_PASSWORD}; write $${ for the signs themselves"}},
		{"variable without an end", change(t, "username: u", "username: 'a${b'"),
			[]string{"1: cove[0].username: ${ begins a variable such as ${COVE_PASSWORD}; write $${ for the signs themselves"}},
		{"variable of another type is not shown", good + "poll: {interval: '${HUNTER}'}\nmail2: 1\n", []string{
			`5: poll.interval: a duration such as 15m, 24h or 2d is expected, not "${HUNTER}"`,
			`6: unknown key "mail2" at the top; did you mean "mail"?`}},

		{"secret file missing", change(t, "password: p", "password_file: nowhere"),
			[]string{"1: cove[0].password_file: there is no file /etc/covebridge/nowhere"}},
		{"secret file refused", change(t, "password: p", "password_file: refused"),
			[]string{"1: cove[0].password_file: open /etc/covebridge/refused: permission denied"}},
		{"secret file empty", change(t, "password: p", "password_file: empty"),
			[]string{"1: cove[0].password_file: /etc/covebridge/empty is empty: write the secret into it"}},
		{"secret twice", change(t, "password: p", "password_file: cove, password: p"),
			[]string{"1: cove[0].password_file: cove[0].password is there too: keep one of the two"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("config.yaml", []byte(test.config), environment("EMPTY", "", "HUNTER", "hunter2"))
			if err == nil {
				t.Fatal("it was accepted")
			}
			want := "config.yaml:" + strings.Join(test.want, "\nconfig.yaml:")
			if err.Error() != want {
				t.Errorf("got:\n%s\nwant:\n%s", err, want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret is shown: %s", err)
			}
		})
	}
}

// A file that may not be read is told of as such, so that the remedy can be named.
func TestRefusedFile(t *testing.T) {
	_, err := Parse("config.yaml", []byte(change(t, "password: p", "password_file: refused")), environment())
	var file *fs.PathError
	if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &file) || file.Path != "/etc/covebridge/refused" {
		t.Errorf("got %v", err)
	}
	_, err = Parse("config.yaml", []byte(change(t, "password: p", "password_file: nowhere")), environment())
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
