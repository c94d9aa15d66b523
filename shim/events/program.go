package events

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Runner runs programs. The shim does, which reaps its children in one place.
type Runner interface {
	// Run waits for the program's end, kills it when it takes too long, and makes any exit code but 0 an error.
	Run(argv []string, files []*os.File, limit time.Duration) error
}

// Program sends events by running containerd's own program (-publish-binary), which is how containerd took them before it
// had a socket for them (core/runtime/v2/README.md, "Commands"): `containerd --address ADDRESS publish --topic TOPIC
// --namespace NAMESPACE`, with the event as google.protobuf.Any on standard input.
type Program struct {
	Path    string
	Address string // of containerd's gRPC socket
	Runner  Runner
}

func (p *Program) send(v *api.Envelope) error {
	input, err := payload(wire.Marshal(v.Event))
	if err != nil {
		return err
	}
	defer input.Close()
	argv := []string{p.Path, "--address", p.Address, "publish", "--topic", v.Topic, "--namespace", v.Namespace}
	if err := p.Runner.Run(argv, []*os.File{input, os.Stderr, os.Stderr}, callTimeout); err != nil {
		return fmt.Errorf("cannot publish with %s (-publish-binary): %w", p.Path, err)
	}
	return nil
}

// payload is a file in memory to be read from its beginning.
func payload(data []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("event", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "event")
	if _, err = f.WriteAt(data, 0); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
