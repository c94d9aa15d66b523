package api

import (
	"fmt"

	"github.com/dhow-containers/dhow/shim/wire"
)

// CheckpointRequest is CheckpointTaskRequest.
type CheckpointRequest struct {
	ID, Path string
	Options  wire.Any // CheckpointOptions; empty: none
}

// Field takes a field of the message.
func (r *CheckpointRequest) Field(number int, v wire.Value) error {
	return fields{{1, &r.ID}, {2, &r.Path}, {3, &r.Options}}.take(number, v)
}

// CheckpointOptions is containerd.runc.v1.CheckpointOptions.
type CheckpointOptions struct {
	Exit                         bool // the container ends
	OpenTCP, ExternalUnixSockets bool
	Terminal, FileLocks          bool
	EmptyNamespaces              []string
	CgroupsMode                  string
	ImagePath                    string // in the place of the request's path
	WorkPath                     string // directory of criu's log, which is kept
	ParentPath                   string
}

func (o *CheckpointOptions) fields() fields {
	return fields{{1, &o.Exit}, {2, &o.OpenTCP}, {3, &o.ExternalUnixSockets}, {4, &o.Terminal}, {5, &o.FileLocks}, {6, &o.EmptyNamespaces},
		{7, &o.CgroupsMode}, {8, &o.ImagePath}, {9, &o.WorkPath}, {lastCheckpointOption, &o.ParentPath}}
}

const lastCheckpointOption = 10

// Field takes a field of the message. As with Options, one that nobody here knows is an error.
func (o *CheckpointOptions) Field(number int, v wire.Value) error {
	if number > lastCheckpointOption {
		return fmt.Errorf("cannot use the options of the checkpoint: unknown field %d of %s", number, checkpointOptionsType)
	}
	return o.fields().take(number, v)
}

const checkpointOptionsType = "containerd.runc.v1.CheckpointOptions"

// DecodeCheckpointOptions reads the options of a checkpoint; none are the zero value.
func DecodeCheckpointOptions(a *wire.Any) (*CheckpointOptions, error) {
	o := &CheckpointOptions{}
	if a.URL == "" && len(a.Value) == 0 {
		return o, nil
	}
	if typeName(a.URL) != checkpointOptionsType {
		return nil, fmt.Errorf("cannot use the options of the checkpoint: their type is %q, and %s is wanted", a.URL, checkpointOptionsType)
	}
	return o, wire.Unmarshal(a.Value, o)
}
