package ttrpc

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/socket"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Client makes one call after the other on a connection. It is not for concurrent use.
type Client struct {
	conn   *os.File
	stream uint32
}

// Dial connects to the socket at address, a path or a unix:// URL.
func Dial(address string) (*Client, error) {
	conn, err := dial(address)
	if err != nil {
		return nil, err
	}
	return &Client{conn: conn}, nil
}

func dial(address string) (*os.File, error) {
	path := strings.TrimPrefix(address, "unix://")
	fd, err := socket.Dial(path, unix.SOCK_STREAM)
	if err != nil {
		return nil, fmt.Errorf("cannot connect: %w", err)
	}
	return socket.File(fd, path)
}

// Close hangs up.
func (c *Client) Close() error { return c.conn.Close() }

// Call makes a call and hands the answer to r, which may be nil. An *Error is the server's; after any other the
// connection is of no use any more.
func (c *Client) Call(service, method string, m wire.Message, r wire.Receiver, timeout time.Duration) error {
	c.stream += 2
	q := &request{service: service, method: method, payload: wire.Marshal(m), timeout: int64(timeout)}
	f := frame{stream: c.stream - 1, kind: typeRequest, flags: flagRemoteClosed, payload: wire.Marshal(q)}
	if err := c.conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := c.conn.Write(f.encode()); err != nil {
		return err
	}
	for {
		got, _, err := readFrame(c.conn)
		if err != nil {
			return err
		}
		if got.stream != f.stream || got.kind != typeResponse {
			continue
		}
		var answer response
		if err := wire.Unmarshal(got.payload, &answer); err != nil {
			return err
		}
		if answer.status != nil && answer.status.Code != OK {
			return answer.status
		}
		if r == nil {
			return nil
		}
		return wire.Unmarshal(answer.payload, r)
	}
}
