package mailbox_test

import (
	"context"
	"fmt"
	"os"

	"covebridge/bridge/mailbox"
)

// A mail is delivered, and asked for as after a connection that broke: the mark
// that begin was given tells where to look.
func Example() {
	dir, err := os.MkdirTemp("", "mails")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	box := mailbox.NewDirectory(dir)
	defer box.Close()

	mail := mailbox.Mail{MessageID: "cove-1-20261128T020000Z@covebridge", Bytes: []byte("Subject: Success\r\n\r\nAll is well.\r\n")}
	var noted string
	results := box.Deliver(context.Background(), []mailbox.Mail{mail}, func(mark string) error {
		noted = mark // on record before the first byte goes out
		return nil
	})
	fmt.Println(results[0].Receipt, results[0].Err)

	found, err := box.Find(context.Background(), []mailbox.Query{{MessageID: mail.MessageID, Mark: noted}})
	fmt.Println(found[0].Found, err)
	// Output:
	// directory cove-1-20261128T020000Z@covebridge.eml <nil>
	// true <nil>
}
