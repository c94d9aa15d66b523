package container

import (
	"errors"

	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/spf13/pflag"
)

// flags are those that run and create have in common, by topic. Each topic has a file with its flags and what they do to the
// request.
type flags struct {
	process  processFlags
	limits   limitFlags
	blkio    blkioFlags
	device   deviceFlags
	storage  storageFlags
	net      netFlags
	security securityFlags
	health   healthFlags
	life     lifeFlags

	set *pflag.FlagSet
}

// request is what is sent to make a container.
type request struct {
	config     *types.Config
	host       *types.HostConfig
	networking *network.NetworkingConfig
}

// topic is one group of flags.
type topic interface {
	register(*pflag.FlagSet)
	apply(*request, *pflag.FlagSet) error
}

func (f *flags) topics() []topic {
	return []topic{&f.process, &f.limits, &f.blkio, &f.device, &f.storage, &f.net, &f.security, &f.health, &f.life}
}

func (f *flags) register(fs *pflag.FlagSet) {
	f.set = fs
	for _, t := range f.topics() {
		t.register(fs)
	}
	windowsOnly(fs)
}

// request makes the request for an image and its arguments.
func (f *flags) request(image string, args []string) (*request, error) {
	r := &request{
		config:     &types.Config{Image: image},
		host:       &types.HostConfig{},
		networking: &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{}},
	}
	if len(args) > 0 {
		r.config.Cmd = args
	}
	if err := refuseWindows(f.set); err != nil {
		return nil, err
	}
	for _, t := range f.topics() {
		if err := t.apply(r, f.set); err != nil {
			return nil, err
		}
	}
	if r.host.AutoRemove && !r.host.RestartPolicy.IsNone() {
		return nil, errors.New("conflicting options: cannot specify both --restart and --rm")
	}
	return r, nil
}

// windows are flags for Windows daemons. dhow's is for Linux alone, so they are known and refused.
var windows = []struct{ kind, name string }{{"int", "cpu-count"}, {"int", "cpu-percent"}, {"bytes", "io-maxbandwidth"}, {"uint", "io-maxiops"}}

func windowsOnly(fs *pflag.FlagSet) {
	for _, w := range windows {
		fs.Var(&foreign{kind: w.kind}, w.name, "Not available (Windows only)")
		fs.MarkHidden(w.name)
	}
}

func refuseWindows(fs *pflag.FlagSet) error {
	for _, w := range windows {
		if fs.Changed(w.name) {
			return errors.New("--" + w.name + " is for Windows daemons only")
		}
	}
	return nil
}

type foreign struct{ kind string }

func (*foreign) String() string   { return "" }
func (*foreign) Set(string) error { return nil }
func (f *foreign) Type() string   { return f.kind }
