package api

import (
	"fmt"

	"github.com/dhow-containers/dhow/shim/wire"
)

// Options is containerd.runc.v1.Options.
type Options struct {
	NoPivotRoot, NoNewKeyring   bool
	ShimCgroup                  string
	IoUID, IoGID                uint32
	BinaryName, Root            string
	SystemdCgroup               bool
	CriuImagePath, CriuWorkPath string
	CriuPath                    string // reserved since containerd 2.0
	TaskAPIAddress              string // where containerd has found the task service, instead of starting a shim
	TaskAPIVersion              uint32
	BinaryArgs                  []string // ours: what the program BinaryName is given in front of all else
}

// fields are the options by their numbers.
func (o *Options) fields() fields {
	list := make(fields, 0, len(optionNames)+1)
	for i, at := range [...]any{&o.NoPivotRoot, &o.NoNewKeyring, &o.ShimCgroup, &o.IoUID, &o.IoGID, &o.BinaryName, &o.Root, &o.CriuPath,
		&o.SystemdCgroup, &o.CriuImagePath, &o.CriuWorkPath, &o.TaskAPIAddress, &o.TaskAPIVersion} {
		list = append(list, field{i + 1, at})
	}
	return append(list, field{binaryArgs, &o.BinaryArgs})
}

// binaryArgs is the number of a field that containerd's message does not have.
const binaryArgs = 1000

// optionNames are those in containerd's config.toml, by number less one.
var optionNames = [...]string{"NoPivotRoot", "NoNewKeyring", "ShimCgroup", "IoUid", "IoGid", "BinaryName", "Root", "CriuPath",
	"SystemdCgroup", "CriuImagePath", "CriuWorkPath", "TaskApiAddress", "TaskApiVersion"}

// Field takes a field of the message. An option that nobody here knows is an error: the caller would wait for its
// effect.
func (o *Options) Field(number int, v wire.Value) error {
	if number > len(optionNames) && number != binaryArgs {
		return fmt.Errorf("cannot use the runtime's options: unknown field %d of containerd.runc.v1.Options", number)
	}
	return o.fields().take(number, v)
}

// Encode writes the message.
func (o *Options) Encode(e *wire.Encoder) { o.fields().encode(e) }

// The type URLs of options: what clients send, and what CRI makes of a runtime's table in containerd's config.toml.
const (
	OptionsType        = "containerd.runc.v1.Options"
	runtimeOptionsType = "runtimeoptions.v1.Options"
)

// DecodeOptions reads the options of a runtime; none are the zero value.
func DecodeOptions(a *wire.Any) (*Options, error) {
	o := &Options{}
	if a == nil || a.URL == "" && len(a.Value) == 0 {
		return o, nil
	}
	switch typeName(a.URL) {
	case OptionsType:
		return o, wire.Unmarshal(a.Value, o)
	case runtimeOptionsType:
		var r runtimeOptions
		if err := wire.Unmarshal(a.Value, &r); err != nil {
			return nil, err
		}
		return r.options()
	}
	return nil, fmt.Errorf("cannot use the runtime's options: their type is %q, and %s is wanted", a.URL, OptionsType)
}

// typeName is a type URL without the prefix that some senders put in front.
func typeName(url string) string {
	const prefix = "type.googleapis.com/"
	if len(url) > len(prefix) && url[:len(prefix)] == prefix {
		return url[len(prefix):]
	}
	return url
}

// runtimeOptions is runtimeoptions.v1.Options.
type runtimeOptions struct {
	typeURL, configPath, configBody string
}

func (r *runtimeOptions) Field(number int, v wire.Value) error {
	return fields{{1, &r.typeURL}, {2, &r.configPath}, {3, &r.configBody}}.take(number, v)
}

// IsOptions says whether a is of a type that DecodeOptions reads.
func IsOptions(a *wire.Any) bool {
	name := typeName(a.URL)
	return name == OptionsType || name == runtimeOptionsType
}
