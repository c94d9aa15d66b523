package container

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/hooks"
	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/spec"
)

// hookState is the state that hooks get on their standard input (runtime.md, "State").
func (h *handle) hookState(status specs.ContainerState, config *specs.Spec, pid int) []byte {
	b := make([]byte, 0, 512)
	b = append(b, `{"ociVersion":`...)
	b = appendString(b, specs.Version)
	b = append(b, `,"id":`...)
	b = appendString(b, h.ID)
	b = append(b, `,"status":`...)
	b = appendString(b, string(status))
	if pid > 0 {
		b = append(b, `,"pid":`...)
		b = appendInt(b, pid)
	}
	b = append(b, `,"bundle":`...)
	b = appendString(b, h.Bundle)
	for i, key := range sortedKeys(config.Annotations) {
		b = append(b, [2]string{`,"annotations":{`, `,`}[min(i, 1)]...)
		b = append(appendString(b, key), ':')
		b = appendString(b, config.Annotations[key])
	}
	if len(config.Annotations) > 0 {
		b = append(b, '}')
	}
	return append(b, '}')
}

// runtimeHooks runs the hooks of the runtime's namespaces: prestart and createRuntime.
func (m *making) runtimeHooks() error {
	state := m.hookState(specs.StateCreating, m.doc.Spec, m.proc.Pid)
	h := m.doc.Spec.Hooks
	//lint:ignore SA1019 prestart hooks are deprecated, and still a part of the spec
	if err := hooks.Run(context.Background(), "prestart", h.Prestart, state, hooks.Attr{Dir: m.bundle}); err != nil {
		return err
	}
	return hooks.Run(context.Background(), "createRuntime", h.CreateRuntime, state, hooks.Attr{Dir: m.bundle})
}

// hooksInside runs hooks in the namespaces of the container whose init is pid.
func (m *making) hooksInside(status specs.ContainerState, name string, list []specs.Hook, pid, pidfd int) error {
	return m.handle.hooksInside(m.doc, status, name, list, pid, pidfd)
}

func (h *handle) hooksInside(doc *spec.Document, status specs.ContainerState, name string, list []specs.Hook, pid, pidfd int) error {
	config := doc.Spec
	state := h.hookState(status, config, pid)
	var seccomp *plan.Filter

	start := func(path string, argv, env []string, files [3]*os.File) (func() (int, bool, error), func(), error) {
		in, err := startInside(config, &specs.Hook{Path: path, Args: argv, Env: env}, name, pid, pidfd, files, seccomp, state)
		if err != nil {
			return nil, nil, err
		}
		return in.wait, in.kill, nil
	}
	if name == "startContainer" { // inside to all intents and purposes, as in runc
		list = h.withEnvironment(config.Process, list)
		var err error
		if seccomp, err = filter(doc, filepath.Join(h.store.Root, seccompCache)); err != nil {
			return err
		}
	}
	return hooks.Run(context.Background(), name, list, state, hooks.Attr{Start: start})
}

// withEnvironment gives the hooks that say nothing of their environment that of the container's process. The
// specification is silent here; startContainer hooks are written for runc, which does so.
func (h *handle) withEnvironment(p *specs.Process, list []specs.Hook) []specs.Hook {
	list = slices.Clone(list)
	for i := range list {
		if list[i].Env == nil && p != nil {
			list[i].Env = plan.Environment(p.Env, home(h.Rootfs, p.User.UID))
		}
	}
	return list
}

// inside is a hook that runs in the container's namespaces, as a session of its own.
type inside struct {
	*launch.Process
	mu     sync.Mutex
	reaped bool // the pid may be another process's
}

// startInside starts one hook in the container's namespaces. A filter with SCMP_ACT_NOTIFY has the agent asked about the
// hook, too, by a listener of the hook's own; state is the container's.
func startInside(config *specs.Spec, h *specs.Hook, name string, pid, pidfd int, files [3]*os.File,
	seccomp *plan.Filter, state []byte) (*inside, error) {
	p, err := plan.CompileHook(config, h, pid, "hooks."+name, seccomp)
	if err != nil {
		return nil, err
	}
	asked := agent(-1)
	if seccomp != nil && seccomp.Notify {
		if asked, err = connectAgent(config.Linux.Seccomp.ListenerPath); err != nil {
			return nil, err
		}
		defer asked.close()
	}
	o := launch.Options{Cgroup: -1, Listener: -1, Pidfd: pidfd}
	for i, f := range files {
		o.Stdio[i] = f.Fd()
	}
	proc, err := launch.Start(p, o)
	if err != nil {
		return nil, err
	}
	in := &inside{Process: proc}
	err = proc.Serve(func(r *launch.Request) (uint64, bool, error) {
		if r.Code == plan.SeccompListener {
			return 0, false, asked.listener(r, config, proc.Pid, state)
		}
		return 0, false, nil
	})
	if err != nil {
		in.kill()
		in.wait()
		return nil, err
	}
	return in, nil
}

func (in *inside) wait() (status int, signaled bool, err error) {
	for unix.Waitid(unix.P_PID, in.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.reaped = true
	defer in.Forget()
	code, err := in.Wait()
	if code > 128 {
		return code - 128, true, err
	}
	return code, false, err
}

func (in *inside) kill() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.reaped {
		unix.Kill(-in.Pid, unix.SIGKILL)
		unix.PidfdSendSignal(in.Pidfd, unix.SIGKILL, nil, 0)
	}
}

// stopHooks runs the poststop hooks, all of them: a failure is for the log alone (runtime.md,
// "Lifecycle", step 13).
func (h *handle) stopHooks(config *specs.Spec) {
	if config.Hooks == nil || len(config.Hooks.Poststop) == 0 {
		return
	}
	state := h.hookState(specs.StateStopped, config, 0)
	hooks.RunAll(context.Background(), "poststop", config.Hooks.Poststop, state, hooks.Attr{Dir: h.bundleDir()}, func(err error) {
		h.store.warn("poststop hook failed", err)
	})
}

// bundleDir is the working directory of hooks: the bundle, as long as it is there.
func (h *handle) bundleDir() string {
	if unix.Access(h.Bundle, unix.X_OK) != nil {
		return "/"
	}
	return h.Bundle
}

// startedHooks runs the poststart hooks of a container whose process has begun.
func (h *handle) startedHooks(config *specs.Spec) error {
	if config.Hooks == nil || len(config.Hooks.Poststart) == 0 {
		return nil
	}
	state := h.hookState(specs.StateRunning, config, h.Pid)
	return hooks.Run(context.Background(), "poststart", config.Hooks.Poststart, state, hooks.Attr{Dir: h.bundleDir()})
}
