package stdio

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/dhow-containers/dhow/shim/logfile"
)

// hub is between a process and those who see its output: the log, and the clients that are attached now.
type hub struct {
	terminal bool
	served   *Served
	log      *logfile.Log    // nil: none
	input    func() *os.File // where clients' input goes; nil: nowhere any more
	endInput func()
	ready    chan struct{} // closed when there is an input
	warn     func(what string, err error)

	mu      sync.Mutex
	clients []*Client // replaced, not changed
	over    bool      // the process has ended, and all its output is here
}

// The descriptors of output, which are also how frames name it.
const (
	stdout = 1
	stderr = 2
)

// errOver is the answer to a client that comes too late.
var errOver = errors.New("the process has ended")

// hubOutput is the hub for one stream.
type hubOutput struct {
	hub *hub
	fd  int
	log *logfile.Stream
}

func (h *hub) output(fd int) *hubOutput {
	o := &hubOutput{hub: h, fd: fd}
	if h.log != nil {
		o.log = h.log.Stream([...]string{stdout: "stdout", stderr: "stderr"}[fd])
	}
	return o
}

// Write logs b and sends it to the clients, the slowest of which it waits for once much is on its way.
func (o *hubOutput) Write(b []byte) (int, error) {
	if o.log != nil {
		o.log.Write(b)
	}
	for _, c := range o.hub.all() {
		c.send(o.fd, b)
	}
	return len(b), nil
}

func (o *hubOutput) release() {
	if o.log != nil {
		o.log.Close()
	}
}

func (o *hubOutput) close() { o.hub.cut() }

func (h *hub) all() []*Client {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clients
}

func (h *hub) add(c *Client) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return errOver
	}
	h.clients = append(slices.Clip(h.clients), c)
	return nil
}

func (h *hub) remove(c *Client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients = slices.DeleteFunc(slices.Clone(h.clients), func(x *Client) bool { return x == c })
}

// end lets the clients go when they have all output, and has the log written. It waits for both until ctx ends.
func (h *hub) end(ctx context.Context) {
	h.mu.Lock()
	h.over = true
	clients := h.clients
	h.mu.Unlock()
	h.endInput()
	for _, c := range clients {
		c.finish(false)
	}
	if h.log != nil {
		h.log.Flush()
	}
	for _, c := range clients {
		select {
		case <-c.flushed:
		case <-ctx.Done():
		}
	}
}

// partingLimit is how long clients may take to get the last of a process that has not come about, or is deleted.
const partingLimit = time.Second

// close ends everything.
func (h *hub) close() {
	ctx, cancel := context.WithTimeout(context.Background(), partingLimit)
	defer cancel()
	h.end(ctx)
	h.cut()
}

// cut ends the connections.
func (h *hub) cut() {
	for _, c := range h.all() {
		c.cut()
	}
}
