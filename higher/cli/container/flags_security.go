package container

import (
	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// securityFlags say what the container may do.
type securityFlags struct {
	add, drop, options []string

	privileged bool
}

func (f *securityFlags) register(fs *pflag.FlagSet) {
	opts.List(fs, &f.add, "cap-add", "", "Add a Linux capability", nil)
	opts.List(fs, &f.drop, "cap-drop", "", "Drop a Linux capability", nil)
	opts.List(fs, &f.options, "security-opt", "", "Set a security option", nil)
	fs.BoolVar(&f.privileged, "privileged", false, "Give the container all privileges")
	fs.Bool("disable-content-trust", true, "Skip image verification")
	fs.MarkHidden("disable-content-trust")
}

func (f *securityFlags) apply(r *request, _ *pflag.FlagSet) error {
	h := r.host
	sent, unconfined, err := opts.Security(f.options)
	if err != nil {
		return err
	}
	h.SecurityOpt, h.CapAdd, h.CapDrop, h.Privileged = sent, f.add, f.drop, f.privileged
	if unconfined {
		h.MaskedPaths, h.ReadonlyPaths = []string{}, []string{}
	}
	return nil
}
