package container

import (
	"errors"
	"strings"

	"github.com/moby/moby/api/types/mount"
	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// storageFlags are about the root file system and what is mounted into it.
type storageFlags struct {
	volumes, volumesFrom, tmpfs, options []string

	mounts   []mount.Mount
	readOnly bool
	driver   string
	socket   bool
}

func (f *storageFlags) register(fs *pflag.FlagSet) {
	opts.List(fs, &f.volumes, "volume", "v", "Mount a volume or a path of the host (SOURCE:TARGET[:OPTIONS])", nil)
	opts.List(fs, &f.volumesFrom, "volumes-from", "", "Mount the volumes of another container", nil)
	opts.List(fs, &f.tmpfs, "tmpfs", "", "Mount a tmpfs (TARGET[:OPTIONS])", nil)
	opts.List(fs, &f.options, "storage-opt", "", "Set an option of the storage driver", nil)
	collectKind(fs, "mount", &f.mounts, "mount", "Mount a volume, path, tmpfs or image (type=TYPE,src=SOURCE,dst=TARGET,…)", opts.Mount)
	fs.BoolVar(&f.readOnly, "read-only", false, "Make the root file system read-only")
	fs.StringVar(&f.driver, "volume-driver", "", "Driver of volumes that are made for the container")
	fs.BoolVar(&f.socket, "use-api-socket", false, "Mount the daemon's socket")
}

func collectKind[T any](fs *pflag.FlagSet, kind string, to *[]T, name, usage string, parse func(string) (T, error)) {
	opts.Var(fs, kind, name, "", usage, func(s string) error {
		v, err := parse(s)
		if err == nil {
			*to = append(*to, v)
		}
		return err
	})
}

func (f *storageFlags) apply(r *request, _ *pflag.FlagSet) error {
	h := r.host
	r.config.Volumes = map[string]struct{}{}
	for _, s := range f.volumes {
		bind, target, err := opts.Volume(s)
		if err != nil {
			return err
		}
		if bind != "" {
			h.Binds = append(h.Binds, bind)
		} else {
			r.config.Volumes[target] = struct{}{}
		}
	}
	h.Tmpfs = map[string]string{}
	for _, s := range f.tmpfs {
		k, v, _ := strings.Cut(s, ":")
		h.Tmpfs[k] = v
	}
	h.StorageOpt = map[string]string{}
	for _, s := range f.options {
		k, v, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("invalid storage option")
		}
		h.StorageOpt[k] = v
	}
	h.VolumesFrom, h.Mounts, h.ReadonlyRootfs, h.VolumeDriver = f.volumesFrom, f.mounts, f.readOnly, f.driver
	return nil
}
