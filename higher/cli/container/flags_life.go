package container

import (
	"errors"

	types "github.com/moby/moby/api/types/container"
	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// lifeFlags are about logs and what happens at the end.
type lifeFlags struct {
	restart, cidFile, driver, isolation string

	logOptions []string
	remove     bool
}

func (f *lifeFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.restart, "restart", "no", "What to do when the container ends: no, on-failure[:COUNT], always, unless-stopped")
	fs.StringVar(&f.cidFile, "cidfile", "", "Write the id of the container to a file")
	fs.StringVar(&f.driver, "log-driver", "", "Log driver of the container")
	opts.List(fs, &f.logOptions, "log-opt", "", "Set an option of the log driver", nil)
	fs.BoolVar(&f.remove, "rm", false, "Remove the container and its anonymous volumes when it ends")
	fs.StringVar(&f.isolation, "isolation", "", "Isolation of the container (default)")
}

func (f *lifeFlags) apply(r *request, _ *pflag.FlagSet) (err error) {
	h := r.host
	if h.RestartPolicy, err = opts.Restart(f.restart); err != nil {
		return err
	}
	if f.driver == "none" && len(f.logOptions) > 0 {
		return errors.New("invalid logging opts for driver none")
	}
	h.LogConfig = types.LogConfig{Type: f.driver, Config: opts.Pairs(f.logOptions)}
	h.ContainerIDFile, h.AutoRemove, h.Isolation = f.cidFile, f.remove, types.Isolation(f.isolation)
	return nil
}
