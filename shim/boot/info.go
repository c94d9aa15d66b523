package boot

import (
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/task"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Name is the runtime's name for containerd.
const Name = "io.containerd.dhow.v2"

// Info is the containerd.types.RuntimeInfo for the options on standard input.
func Info(input []byte) ([]byte, error) {
	var options wire.Any
	if err := wire.Unmarshal(input, &options); err != nil {
		return nil, err
	}
	if _, err := api.DecodeOptions(&options); err != nil {
		return nil, err
	}
	features, err := runtimeFeatures()
	if err != nil {
		return nil, err
	}
	return wire.Marshal(wire.Func(func(e *wire.Encoder) {
		e.String(1, Name)
		e.Message(2, wire.Func(func(e *wire.Encoder) { e.String(1, task.Version) }))
		if len(input) > 0 {
			e.Message(3, &options)
		}
		e.Message(4, features)
	})), nil
}
