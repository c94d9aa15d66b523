package boot

import (
	"fmt"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Params are what `start` learns, from the command line or, since containerd 2.3, from its standard input.
type Params struct {
	ID, Namespace string
	Address       string // of containerd's gRPC socket
	TTRPCAddress  string // of its socket for events
	PublishBinary string // containerd's program, which takes events if there is no such socket
	SocketDir     string
	Debug         bool
	Options       *wire.Any

	binary bool // they came as BootstrapParams, and the answer goes back so
}

// levelDebug is LOG_LEVEL_DEBUG of BootstrapParams; LOG_LEVEL_TRACE is below.
const levelDebug = -4

// read takes in standard input: BootstrapParams, or only the options, as a google.protobuf.Any. The two cannot be
// told apart by their form, but only the former repeats what the command line says.
func (p *Params) read(input []byte) error {
	var b bootstrap
	if err := wire.Unmarshal(input, &b); err == nil && b.id == p.ID && b.namespace == p.Namespace && p.ID != "" {
		return p.take(&b)
	}
	if len(input) == 0 {
		return nil
	}
	p.Options = &wire.Any{}
	return wire.Unmarshal(input, p.Options)
}

func (p *Params) take(b *bootstrap) error {
	p.binary = true
	p.Debug = p.Debug || b.level <= levelDebug
	p.SocketDir = b.socketDir
	if b.ttrpc != "" {
		p.TTRPCAddress = b.ttrpc
	}
	if b.program != "" {
		p.PublishBinary = b.program
	}
	if b.grpc != "" {
		p.Address = b.grpc
	}
	for _, a := range b.extensions {
		if api.IsOptions(a) {
			p.Options = a
		}
	}
	return nil
}

// bootstrap is containerd.runtime.bootstrap.v1.BootstrapParams.
type bootstrap struct {
	id, namespace string
	level         int64
	ttrpc, grpc   string
	program       string
	extensions    []*wire.Any
	socketDir     string
}

func (b *bootstrap) Field(number int, v wire.Value) error {
	switch number {
	case 1:
		b.id = v.String()
	case 2:
		b.namespace = v.String()
	case 3:
		b.level = int64(int32(v.Uint))
	case 5:
		b.ttrpc = v.String()
	case 6:
		b.grpc = v.String()
	case 7:
		b.program = v.String()
	case 8:
		return wire.Fields(v.Bytes, func(number int, v wire.Value) error {
			a := &wire.Any{}
			b.extensions = append(b.extensions, a)
			return wire.Unmarshal(v.Bytes, a)
		})
	case 9:
		b.socketDir = v.String()
	}
	return nil
}

// Versions of the protocol between containerd and its shims: of the task service, and of what else a shim can do. From 3
// on containerd does not call `start` and `delete` for each container of a pod, if its sandbox was made by CRI of 2.x.
const (
	oldVersion = 2 // what 1.6 and 1.7 know; 2.0 to 2.2, which cannot be told from 1.7, know it too
	newVersion = 3 // 2.3 and newer
)

// result is what `start` prints. JSON is for containerd from 1.7 on, which says so by MAX_SHIM_VERSION.
func (p *Params) result(address string, maxVersion string) []byte {
	switch {
	case p.binary:
		return wire.Marshal(wire.Func(func(e *wire.Encoder) {
			e.Int(1, newVersion)
			e.String(2, address)
			e.String(3, "ttrpc")
		}))
	case maxVersion != "":
		return []byte(fmt.Sprintf(`{"version":%d,"address":%q,"protocol":"ttrpc"}`, oldVersion, address))
	}
	return []byte(address)
}
