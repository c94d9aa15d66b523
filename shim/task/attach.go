package task

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/socket"
	"github.com/dhow-containers/dhow/shim/stdio"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// openDoor begins to take clients for a container whose streams the shim serves itself.
func (s *Service) openDoor(t *task) error {
	if !stdio.IsServed(t.init.stdio.Stdout) {
		return nil
	}
	fd, err := socket.Listen(filepath.Join(t.bundle, api.StreamsSocket), unix.SOCK_SEQPACKET)
	if err != nil {
		return err
	}
	if t.door, err = socket.File(fd, api.StreamsSocket); err != nil {
		return err
	}
	go s.admit(t.door)
	return nil
}

// closeDoor ends that.
func (t *task) closeDoor() {
	if t.door != nil {
		t.door.Close()
		unix.Unlink(filepath.Join(t.bundle, api.StreamsSocket))
	}
}

func (s *Service) admit(door *os.File) {
	for {
		conn, err := socket.Accept(door)
		if err != nil {
			return
		}
		go s.attachOn(conn)
	}
}

// attachOn takes one client, and stays until that has ended. When the daemon that has sent it goes away, it stays too.
func (s *Service) attachOn(conn *os.File) {
	defer conn.Close()
	message, fd, err := socket.Receive(conn)
	if err != nil {
		return
	}
	client, err := s.attach(message, fd)
	if err != nil {
		tell(conn, &api.AttachAnswer{Code: uint32(ttrpc.CodeOf(err)), Message: err.Error()})
		return
	}
	tell(conn, &api.AttachAnswer{})
	tell(conn, &api.AttachAnswer{Detached: client.Wait()})
}

// tell answers. Nobody may be there to hear it.
func tell(conn *os.File, a *api.AttachAnswer) { _ = socket.Send(conn, wire.Marshal(a), -1) }

// attach gives the connection fd to the streams that the message names.
func (s *Service) attach(message []byte, fd int) (*stdio.Client, error) {
	if fd < 0 {
		return nil, ttrpc.Errorf(ttrpc.InvalidArgument, "cannot attach: no connection came along")
	}
	conn, err := socket.File(fd, "client")
	if err != nil {
		return nil, err
	}
	client, err := s.attachClient(message, conn)
	if err != nil {
		return nil, errors.Join(err, ignoreClosed(conn.Close()))
	}
	return client, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func (s *Service) attachClient(message []byte, conn *os.File) (*stdio.Client, error) {
	var r api.AttachRequest
	if err := wire.Unmarshal(message, &r); err != nil {
		return nil, ttrpc.Errorf(ttrpc.InvalidArgument, "cannot read the request: %v", err)
	}
	p, err := s.process(&r.Target)
	if err != nil {
		return nil, err
	}
	streams := p.open()
	if streams == nil || !streams.Attachable() {
		return nil, ttrpc.Errorf(ttrpc.FailedPrecondition, "cannot attach to %s: its streams are not here", p.eventID())
	}
	client, err := streams.Attach(conn, stdio.AttachOptions{Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, DetachKeys: r.DetachKeys,
		CloseStdin: r.CloseStdin, Raw: r.Raw, Begun: r.Begun})
	if err != nil {
		return nil, ttrpc.Errorf(ttrpc.FailedPrecondition, "cannot attach to %s: %v", p.eventID(), err)
	}
	return client, nil
}
