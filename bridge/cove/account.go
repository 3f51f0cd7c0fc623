package cove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"covebridge/bridge/backup"
)

// account is what it takes to read a device's history: its name as Cove knows
// it, its token, which is a lasting secret of the device, and its home node.
type account struct {
	id          int64
	name, token string
	host        string // empty: not told
}

// accountCache remembers accounts by the device's id.
type accountCache struct{ byDevice sync.Map }

// account gives the device's, remembered or, where fresh, as Cove tells it now.
func (c *Client) account(ctx context.Context, d backup.Device, fresh bool) (account, error) {
	if a, ok := c.accounts.byDevice.Load(d.ID); ok && !fresh {
		return a.(account), nil
	}
	id, err := deviceNumber(d)
	if err != nil {
		return account{}, err
	}
	info, err := c.accountInfo(ctx, id)
	if err != nil {
		return account{}, err
	}
	a := account{id: id, name: info.name, token: info.token, host: hostName(info.host)}
	if a.name == "" {
		a.name = d.Name
	}
	if a.token == "" {
		return account{}, errors.New("GetAccountInfoById: Cove tells no token of the device: check this user's role in Cove")
	}
	if a.host == "" && d.Type != backup.Microsoft365 && c.needsHost() {
		if a.host, err = c.endpoint(ctx, id); err != nil {
			return account{}, err
		}
	}
	c.accounts.byDevice.Store(d.ID, a)
	return a, nil
}

func deviceNumber(d backup.Device) (int64, error) {
	id, err := strconv.ParseInt(d.ID, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("device id %q is no number", truncate(d.ID, 50))
	}
	return id, nil
}

// DeviceName asks for the device's name, for one whose statistics tell none.
// errors.Is ErrRefused tells of a refused login.
func (c *Client) DeviceName(ctx context.Context, d backup.Device) (string, error) {
	id, err := deviceNumber(d)
	if err != nil {
		return "", err
	}
	info, err := c.accountInfo(ctx, id)
	if err == nil && info.name == "" {
		err = errors.New("GetAccountInfoById: Cove tells no name of the device")
	}
	if err != nil {
		return "", fmt.Errorf("name of device %d: %w", id, err)
	}
	return info.name, nil
}

func (c *Client) accountInfo(ctx context.Context, id int64) (info accountInfo, err error) {
	r := request{url: c.URL, method: "GetAccountInfoById", params: map[string]any{"accountId": id}}
	_, err = c.call(ctx, r, func(dec *decoder) error {
		info = accountInfo{}
		return dec.decode(&info)
	})
	c.secrets.add(info.token)
	return info, err
}

// accountInfo is what GetAccountInfoById tells. homeNodeInfo stands beside the
// inner result.
type accountInfo struct{ name, token, host string }

// UnmarshalJSON takes any JSON.
func (a *accountInfo) UnmarshalJSON(b []byte) error {
	*a = accountInfo{}
	var outer struct {
		Result       row
		HomeNodeInfo object
	}
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	if err := json.Unmarshal(b, &outer); err != nil {
		return err
	}
	a.name, a.token = outer.Result.get("name").text, outer.Result.get("token").text
	var common row
	if err := json.Unmarshal(outer.HomeNodeInfo.member("CommonInfo"), &common); err != nil {
		return err
	}
	a.host = common.get("host").text
	return nil
}

// object is a JSON object with its members as they are; anything else is empty.
type object map[string]json.RawMessage

// UnmarshalJSON takes any JSON.
func (o *object) UnmarshalJSON(b []byte) error {
	*o = nil
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	return json.Unmarshal(b, (*map[string]json.RawMessage)(o))
}

func (o object) member(name string) json.RawMessage {
	if m, ok := o[name]; ok {
		return m
	}
	return json.RawMessage("null")
}

// endpoint asks for the node in the other way.
func (c *Client) endpoint(ctx context.Context, id int64) (host string, err error) {
	const method = "EnumerateAccountRemoteAccessEndpoints"
	_, err = c.call(ctx, request{url: c.URL, method: method, params: map[string]any{"accountId": id}, rows: nodeRange}, func(dec *decoder) error {
		host = ""
		return dec.rows(nodeRange, func(raw jsontext.Value) error {
			var r row
			if err := json.Unmarshal(raw, &r); err != nil {
				return err
			}
			if u, err := url.Parse(r.get("webrcgurl").text); err == nil && host == "" {
				host = hostName(u.Host)
			}
			return nil
		}, nil)
	})
	if err == nil && host == "" {
		err = errors.New(method + ": Cove tells no storage node of the device")
	}
	return host, err
}

var bareHost = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// hostName takes what stands before the colon, if that is a bare host name;
// else nothing: the device's token is sent there.
func hostName(text string) string {
	host, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text)), ":")
	if len(host) > 253 || !bareHost.MatchString(host) {
		return ""
	}
	return host
}

// needsHost tells whether the node's name is part of where it is asked.
func (c *Client) needsHost() bool { return c.NodeURL == "" || strings.Contains(c.NodeURL, "HOST") }

func (c *Client) nodeURL(host string) string {
	if c.NodeURL != "" {
		return strings.ReplaceAll(c.NodeURL, "HOST", host)
	}
	return "https://" + host + "/repserv_json"
}

// ownNode tells whether the node is Cove's own, not a self-hosted one.
func ownNode(host string) bool {
	return host == "cloudbackup.management" || strings.HasSuffix(host, ".cloudbackup.management")
}
