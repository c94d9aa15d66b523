package container

import (
	"fmt"
	"slices"

	types "github.com/moby/moby/api/types/container"
	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// processFlags are about the process, its streams and its surroundings.
type processFlags struct {
	attach, env, envFiles, labels, labelFiles, groups []string

	annotations, sysctls map[string]string

	stdin, tty, init bool

	entrypoint, user, workdir, hostname, domainname string

	stopSignal, cgroupns, ipc, pid, uts, userns, runtime string

	stopTimeout int
}

func (f *processFlags) register(fs *pflag.FlagSet) {
	opts.List(fs, &f.attach, "attach", "a", "Attach to a stream: stdin, stdout or stderr", opts.Stream)
	opts.List(fs, &f.env, "env", "e", "Set an environment variable", opts.Env)
	opts.List(fs, &f.envFiles, "env-file", "", "Read environment variables from a file", nil)
	opts.List(fs, &f.labels, "label", "l", "Set a label", opts.Label)
	opts.List(fs, &f.labelFiles, "label-file", "", "Read labels from a file, one a line", nil)
	opts.List(fs, &f.groups, "group-add", "", "Add the process to a further group", nil)
	opts.Map(fs, &f.annotations, "annotation", "", "Add an annotation for the OCI runtime", nil)
	opts.Map(fs, &f.sysctls, "sysctl", "", "Set a kernel parameter of the container's namespaces", opts.Sysctl)
	fs.BoolVarP(&f.stdin, "interactive", "i", false, "Keep standard input open even if it is not attached")
	fs.BoolVarP(&f.tty, "tty", "t", false, "Give the process a terminal")
	fs.BoolVar(&f.init, "init", false, "Run an init that forwards signals and reaps processes")
	fs.StringVar(&f.entrypoint, "entrypoint", "", "Replace the image's entrypoint")
	fs.StringVarP(&f.user, "user", "u", "", "User name or id (format: <name|uid>[:<group|gid>])")
	fs.StringVarP(&f.workdir, "workdir", "w", "", "Working directory inside the container")
	fs.StringVarP(&f.hostname, "hostname", "h", "", "Host name of the container")
	fs.StringVar(&f.domainname, "domainname", "", "NIS domain name of the container")
	fs.StringVar(&f.stopSignal, "stop-signal", "", "Signal that asks the container to stop")
	fs.IntVar(&f.stopTimeout, "stop-timeout", 0, "Seconds to wait for a stop before killing")
	fs.StringVar(&f.cgroupns, "cgroupns", "", "Cgroup namespace: host or private")
	fs.StringVar(&f.ipc, "ipc", "", "IPC namespace: none, private, shareable, host or container:NAME")
	fs.StringVar(&f.pid, "pid", "", "PID namespace: host or container:NAME")
	fs.StringVar(&f.uts, "uts", "", "UTS namespace: host")
	fs.StringVar(&f.userns, "userns", "", "User namespace: host")
	fs.StringVar(&f.runtime, "runtime", "", "OCI runtime of this container")
}

func (f *processFlags) apply(r *request, fs *pflag.FlagSet) (err error) {
	c, h := r.config, r.host
	c.Hostname, c.Domainname, c.User, c.WorkingDir, c.StopSignal = f.hostname, f.domainname, f.user, f.workdir, f.stopSignal
	f.streams(c)
	switch {
	case f.entrypoint != "":
		c.Entrypoint = []string{f.entrypoint}
	case fs.Changed("entrypoint"): // set to nothing: the image's is not used
		c.Entrypoint = []string{""}
	}
	if c.Env, err = opts.ReadEnv(f.envFiles, f.env); err != nil {
		return fmt.Errorf("--env-file: %w", err)
	}
	labels, err := opts.ReadLabels(f.labelFiles, f.labels)
	if err != nil {
		return fmt.Errorf("--label-file: %w", err)
	}
	c.Labels = opts.Pairs(labels)
	if fs.Changed("stop-timeout") {
		c.StopTimeout = &f.stopTimeout
	}
	if fs.Changed("init") {
		h.Init = &f.init
	}
	h.GroupAdd, h.Annotations, h.Sysctls, h.Runtime = f.groups, f.annotations, f.sysctls, f.runtime
	h.IpcMode, h.PidMode, h.UTSMode = types.IpcMode(f.ipc), types.PidMode(f.pid), types.UTSMode(f.uts)
	h.UsernsMode, h.CgroupnsMode = types.UsernsMode(f.userns), types.CgroupnsMode(f.cgroupns)
	return f.checkModes(h)
}

func (f *processFlags) streams(c *types.Config) {
	c.Tty, c.OpenStdin = f.tty, f.stdin
	c.AttachStdin = f.stdin || slices.Contains(f.attach, "stdin")
	c.AttachStdout = len(f.attach) == 0 || slices.Contains(f.attach, "stdout")
	c.AttachStderr = len(f.attach) == 0 || slices.Contains(f.attach, "stderr")
	c.StdinOnce = c.OpenStdin && c.AttachStdin
}

func (f *processFlags) checkModes(h *types.HostConfig) error {
	switch {
	case !h.PidMode.Valid():
		return fmt.Errorf("--pid: invalid PID mode")
	case !h.UTSMode.Valid():
		return fmt.Errorf("--uts: invalid UTS mode")
	case !h.UsernsMode.Valid():
		return fmt.Errorf("--userns: invalid USER mode")
	case !h.CgroupnsMode.Valid():
		return fmt.Errorf("--cgroupns: invalid CGROUP mode")
	}
	return nil
}
