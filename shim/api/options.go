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
	TaskAPIAddress              string // both deprecated
	TaskAPIVersion              uint32
}

// Field takes a field of the message. An option that nobody here knows is an error: the caller would wait for its
// effect.
func (o *Options) Field(number int, v wire.Value) error {
	switch number {
	case 1:
		o.NoPivotRoot = v.Bool()
	case 2:
		o.NoNewKeyring = v.Bool()
	case 3:
		o.ShimCgroup = v.String()
	case 4:
		o.IoUID = uint32(v.Uint)
	case 5:
		o.IoGID = uint32(v.Uint)
	case 6:
		o.BinaryName = v.String()
	case 7:
		o.Root = v.String()
	case 8: // criu_path, which containerd has reserved since
	case 9:
		o.SystemdCgroup = v.Bool()
	case 10:
		o.CriuImagePath = v.String()
	case 11:
		o.CriuWorkPath = v.String()
	case 12:
		o.TaskAPIAddress = v.String()
	case 13:
		o.TaskAPIVersion = uint32(v.Uint)
	default:
		return fmt.Errorf("cannot use the runtime's options: unknown field %d of containerd.runc.v1.Options", number)
	}
	return nil
}

// Encode writes the message.
func (o *Options) Encode(e *wire.Encoder) {
	e.Bool(1, o.NoPivotRoot)
	e.Bool(2, o.NoNewKeyring)
	e.String(3, o.ShimCgroup)
	e.Uint(4, uint64(o.IoUID))
	e.Uint(5, uint64(o.IoGID))
	e.String(6, o.BinaryName)
	e.String(7, o.Root)
	e.Bool(9, o.SystemdCgroup)
	e.String(10, o.CriuImagePath)
	e.String(11, o.CriuWorkPath)
}

// The type URLs of options: what clients send, and what CRI makes of a runtime's table in containerd's config.toml.
const (
	optionsType        = "containerd.runc.v1.Options"
	runtimeOptionsType = "runtimeoptions.v1.Options"
)

// DecodeOptions reads the options of a runtime; none are the zero value.
func DecodeOptions(a *wire.Any) (*Options, error) {
	o := &Options{}
	if a == nil || a.URL == "" && len(a.Value) == 0 {
		return o, nil
	}
	switch typeName(a.URL) {
	case optionsType:
		return o, wire.Unmarshal(a.Value, o)
	case runtimeOptionsType:
		var r runtimeOptions
		if err := wire.Unmarshal(a.Value, &r); err != nil {
			return nil, err
		}
		return r.options()
	}
	return nil, fmt.Errorf("cannot use the runtime's options: their type is %q, and %s is wanted", a.URL, optionsType)
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
	typeURL, configPath string
	configBody          []byte
}

func (r *runtimeOptions) Field(number int, v wire.Value) error {
	switch number {
	case 1:
		r.typeURL = v.String()
	case 2:
		r.configPath = v.String()
	case 3:
		r.configBody = v.Bytes
	}
	return nil
}

// IsOptions says whether a is of a type that DecodeOptions reads.
func IsOptions(a *wire.Any) bool {
	name := typeName(a.URL)
	return name == optionsType || name == runtimeOptionsType
}
