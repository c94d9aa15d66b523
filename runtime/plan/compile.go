package plan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// Input is everything that a Program is compiled from.
type Input struct {
	ID         string
	Bundle     string      // absolute
	Rootfs     string      // absolute
	Config     *specs.Spec // validated (package spec)
	Host       Host
	Filter     *Filter           // compiled linux.seccomp; nil when the config has none
	TaskFiles  []string          // the `tasks` files of cgroup v1 directories to join
	Cgroups    map[string]string // the container's cgroup directories by v1 controller, "" for v2
	Unit       *Unit             // systemd unit that the parent is to put the process into, nil for none
	Preserved  int               // descriptors kept open above stdio
	Wait       bool              // stop before execve until `start` connects
	NoPivot    bool
	NewKeyring bool
}

// Unit is a systemd unit that holds the process.
type Unit struct {
	Name string
	Dirs []string // cgroup directories that systemd makes when it starts the unit
}

// Host is what a Program needs to know about the machine.
type Host struct {
	Unified      bool              // /sys/fs/cgroup is a cgroup v2 mount
	CgroupRoot   string            // mount point of the cgroup v2 tree, "" without one
	CgroupV1     map[string]string // v1 controller (or "name=systemd") → mount point
	OOMScoreAdj  int               // the runtime's own value, which the container would inherit
	ExistsKcore  bool              // /proc/kcore exists: /dev/core links to it
	Home         string            // home directory of process.user in the container's /etc/passwd
	AppArmor     bool              // it is enabled; only looked up for a config that asks for it
	SELinux      bool              // the same
	Links        map[string]string // targets of symbolic links that are sources of mounts with copy-symlink
	Revealing    []string          // mount points of whole procfs and sysfs, the last one first; only looked up for NoPivot
	Capabilities uint64            // what the runtime can grant outside of a user namespace of the container's own

	Unprivileged    bool // the runtime is not root: it has no power but over a user namespace of its own making
	UserNamespace   bool // the runtime is in a user namespace itself: device nodes are not to be made there
	SetgroupsDenied bool // the container's new user namespace will not have setgroups(2)
}

// compiler is the state of one compilation.
type compiler struct {
	*builder
	in         *Input
	cfg        *specs.Spec
	linux      *specs.Linux
	root       Arg // descriptor of the container's root: the rootfs mount, later "/"
	oldRoot    Arg
	proc       Arg // detached procfs mount, made by procfs when first needed
	hasProc    bool
	listener   Arg // socket that start connects to
	exe        executable
	cwdDenied  Reg  // 1 when root may not enter process.cwd
	execInto   bool // the container exists: this is an exec
	unbindable []lateMount
	own        map[string]Arg   // the config's own file systems that it remounts, by path
	unitTree   map[string][]Arg // mount objects of a unit's directories, one for each mount of them
	trees      hostTrees
	devField   string // the mount on /dev that is to be read-only, once it is full
}

// Descriptors of the child that have a fixed place above the preserved ones.
const (
	reportSlot = iota // report channel
	imageSlot         // the Program's own file; when it runs, the place of the container's root
	fileSlot          // first of Files
)

// slot is the number of a descriptor with a fixed place.
func (in *Input) slot(n int) int { return 3 + in.Preserved + n }

// Compile makes the Program of a new container.
func Compile(in *Input) (*Program, error) {
	c := newCompiler(in)
	if err := c.supported(); err != nil {
		return nil, err
	}
	if err := c.checkIDs(); err != nil {
		return nil, err
	}
	c.prologue()
	c.joinCgroups()
	c.namespaces()
	c.session()
	if c.ownMounts() {
		if err := c.openHostTrees(); err != nil {
			return nil, err
		}
		c.enterRootMount()
		if err := c.mounts(); err != nil {
			return nil, err
		}
		c.devices()
	} else {
		c.openRoot()
		c.chrootDevices()
	}
	c.terminal()
	c.hooks()
	if c.ownMounts() {
		c.hidePaths()
		c.makeUnbindable()
	}
	c.changeRoot()
	c.names()
	c.sysctls()
	c.limits()
	c.readyProcess()
	c.execLabels()
	c.created()
	c.becomeProcess()
	p := c.finish()
	return p, p.Verify()
}

func newCompiler(in *Input) *compiler {
	c := &compiler{builder: newBuilder(in.slot(fileSlot)), in: in, cfg: in.Config, linux: in.Config.Linux, own: map[string]Arg{}}
	if c.linux == nil {
		c.linux = &specs.Linux{}
	}
	if in.Wait {
		c.listener = c.file(File{Kind: Listener, Path: "start.sock"})
	}
	return c
}

// prologue makes the process safe to be seen (security rule 7) and recognisable.
func (c *compiler) prologue() {
	c.doing("prepare the process", "")
	c.prctl(unix.PR_SET_DUMPABLE, num(0))
	c.prctl(unix.PR_SET_NAME, str("dhow-init"))
	c.call(unix.SYS_UMASK, num(0))
	c.oomScore()
}

// joinCgroups moves the process into its cgroup v1 directories. It writes its own "0" to `tasks`, for
// which the kernel needs no RCU grace period, as it would for another process's pid (kernel commit
// 9a3284fad42f). The v2 membership comes with the clone, unless
// systemd is to see to it.
func (c *compiler) joinCgroups() {
	if u := c.in.Unit; u != nil {
		c.doing("enter systemd unit "+u.Name, "linux.cgroupsPath")
		c.rendezvous(EnterUnit)
		c.unitTrees()
	}
	for _, path := range c.in.TaskFiles {
		c.doing("join the cgroup "+strings.TrimSuffix(path, "/tasks"), "linux.cgroupsPath")
		fd := c.file(File{Kind: CgroupTask, Path: path, Flags: unix.O_WRONLY, Field: "linux.cgroupsPath"})
		c.write(fd, "0")
		c.close(fd)
	}
}

// session makes the process a session leader with a keyring of its own.
func (c *compiler) session() {
	c.doing("start a session", "")
	c.call(unix.SYS_SETSID).ok(unix.EPERM)
	if c.in.NewKeyring {
		c.labelledKeyring(c.keyring)
	}
}

func (c *compiler) keyring() {
	c.doing("join a session keyring", "")
	// Possessor: all. User: view, read, search, link. (keyctl(2), KEYCTL_SETPERM)
	const perm = 0x3f1b0000
	done := c.label()
	ring := c.call(unix.SYS_KEYCTL, num(unix.KEYCTL_JOIN_SESSION_KEYRING), str("_ses."+c.in.ID))
	key := ring.ok(unix.ENOSYS, unix.EDQUOT).otherwise(done).save()
	c.call(unix.SYS_KEYCTL, num(unix.KEYCTL_SETPERM), key.arg(), num(perm)).any()
	c.place(done)
}

// hooks gives the parent the two moments for hooks before pivot_root.
func (c *compiler) hooks() {
	h := c.cfg.Hooks
	if h == nil {
		return
	}
	//lint:ignore SA1019 prestart hooks are deprecated, and still a part of the spec
	if len(h.Prestart)+len(h.CreateRuntime) > 0 {
		c.doing("run hooks in the runtime's namespaces", "hooks.createRuntime")
		c.rendezvous(RuntimeHooks)
	}
	if len(h.CreateContainer) > 0 {
		c.doing("run hooks in the container's namespaces", "hooks.createContainer")
		c.call(unix.SYS_FCHDIR, c.root) // the top of the mount, not the directory below it; see CompileHook
		c.rendezvous(ContainerHooks)
	}
}

// created reports that the container is made, and waits for `start` if it has to.
func (c *compiler) created() {
	if c.in.Wait {
		c.endBySignal()
	}
	c.letGo()
	c.doing("record the container", "")
	c.rendezvous(Created)
	if c.in.Wait {
		c.doing("wait for start", "")
		c.call(unix.SYS_ACCEPT4, c.listener, num(0), num(0), num(unix.SOCK_CLOEXEC)).saveTo(Report)
		c.close(c.listener)
	}
	if h := c.cfg.Hooks; h != nil && len(h.StartContainer) > 0 {
		c.doing("run hooks before the container's process", "hooks.startContainer")
		c.rendezvous(StartHooks)
	}
}

// endBySignal has SIGTERM end the process while it waits. The kernel keeps signals without a handler from the init of
// a pid namespace; execve takes the handler away (signal(7)).
func (c *compiler) endBySignal() {
	const restorer = 0x04000000 // SA_RESTORER, which the kernel wants to see; the handler does not return
	c.doing("let SIGTERM end the container before its start", "")
	action := room(32) // struct sigaction of the kernel: handler, flags, restorer, mask
	binary.NativeEndian.PutUint64(action.Data[8:], restorer)
	c.op(Store, action.at(0), Arg{Kind: Quit}, num(8))
	c.call(unix.SYS_RT_SIGACTION, num(uint64(unix.SIGTERM)), ptr(action), num(0), num(8))
}

// letGo closes all descriptors but those that are needed to the end: the report channel, the container's
// root, the socket for `start`. Nothing of the host is left for somebody in the container to get hold of
// while the process waits, or runs hooks.
func (c *compiler) letGo() {
	c.doing("close the runtime's descriptors", "")
	root := num(uint64(c.in.slot(imageSlot)))
	c.call(unix.SYS_DUP3, c.root, root, num(unix.O_CLOEXEC))
	c.root = root
	first := root.Val + 1
	if c.in.Wait {
		first = c.listener.Val + 1
	}
	c.call(unix.SYS_CLOSE_RANGE, num(first), num(0xffffffff), num(0))
}

// ownMounts says whether the container has a mount namespace to build in.
func (c *compiler) ownMounts() bool { return c.namespace(specs.MountNamespace) != nil }

func (c *compiler) namespace(t specs.LinuxNamespaceType) *specs.LinuxNamespace {
	return spec.Namespace(c.cfg, t)
}

// newNamespace says whether the container gets a namespace of its own of type t.
func (c *compiler) newNamespace(t specs.LinuxNamespaceType) bool {
	return spec.NewNamespace(c.cfg, t)
}

// needMounts refuses what without a mount namespace would be done to the host, and stay there.
func (c *compiler) needMounts() error {
	if c.ownMounts() {
		return nil
	}
	bound := c.namespace(specs.UserNamespace) != nil || c.in.Host.UserNamespace
	for _, f := range [...]struct {
		name  string
		asked bool
	}{
		{"mounts", len(c.cfg.Mounts) > 0},
		{"linux.maskedPaths", len(c.linux.MaskedPaths) > 0},
		{"linux.readonlyPaths", len(c.linux.ReadonlyPaths) > 0},
		{"linux.rootfsPropagation", c.linux.RootfsPropagation != ""},
		{"root.readonly", c.cfg.Root != nil && c.cfg.Root.Readonly},
		{"linux.devices in a user namespace", bound && len(c.linux.Devices) > 0},
	} {
		if f.asked {
			return fmt.Errorf("cannot use %s: it needs a mount namespace (linux.namespaces); without one it would change the host's mounts", f.name)
		}
	}
	return nil
}

// supported refuses what would otherwise be ignored.
func (c *compiler) supported() error {
	if c.cfg.Root == nil {
		return errors.New("cannot do what the config asks for: not supported yet: a config without root")
	}
	if err := c.needMounts(); err != nil {
		return err
	}
	return c.securityModules()
}

// indexed names an element of a list in the config.
func indexed(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
