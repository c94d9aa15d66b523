package events

import (
	"errors"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/ttrpc"
)

const service = "containerd.services.events.ttrpc.v1.Events"

// Socket sends events to containerd's ttrpc socket.
type Socket struct {
	address string
	client  *ttrpc.Client
}

// NewSocket is for the socket at address, which need not be there yet.
func NewSocket(address string) *Socket { return &Socket{address: address} }

// send makes the call, on a new connection when the old one is of no use any more.
func (s *Socket) send(v *api.Envelope) (err error) {
	for range 2 {
		fresh := s.client == nil
		if fresh {
			if s.client, err = ttrpc.Dial(s.address); err != nil {
				s.client = nil
				return err
			}
		}
		err = s.client.Call(service, "Forward", v, nil, callTimeout)
		var status *ttrpc.Error
		if err == nil || errors.As(err, &status) {
			return err
		}
		s.client.Close()
		s.client = nil
		if fresh {
			return err
		}
	}
	return err
}
