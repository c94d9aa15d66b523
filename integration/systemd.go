package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Machine is a Debian that runs on this kernel with systemd as its init, in namespaces of its own: pid, mount,
// network, ipc, uts and, below a group of its own in the version 2 tree, cgroup. It has no controllers where
// the host's version 2 tree has none.
type Machine struct {
	cmd   *exec.Cmd
	group string
	dir   string
	Log   string // file with what systemd says
}

// machineVariable tells this program to become a Machine; its value is the root file system.
const machineVariable = "DHOW_TEST_MACHINE"

// machineFiles is where a Machine has the files that it was booted with.
const machineFiles = "/opt/test"

// Boot boots a Machine in dir, which must be empty, with some files of the host below machineFiles, and waits
// until all its services are up.
func Boot(rootfs, dir string, files map[string]string) (m *Machine, err error) {
	group, err := machineGroup(os.Getpid())
	if err != nil {
		return nil, err
	}
	m = &Machine{group: group, dir: dir, Log: filepath.Join(dir, "log")}
	if err := os.Mkdir(m.group, 0o755); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			m.ShutDown()
		}
	}()
	for name, path := range files {
		if err := m.Add(name, path); err != nil {
			return nil, err
		}
	}
	if err := m.start(rootfs, dir); err != nil {
		return nil, err
	}
	return m, m.awaitBoot()
}

// machineGroup is the control group of the Machine that the process pid boots.
func machineGroup(pid int) (string, error) {
	tree, err := v2Tree()
	return filepath.Join(tree, fmt.Sprintf("dhow-machine-%d", pid)), err
}

// RemoveMachine removes what is left of a Machine when the process pid, which has booted it, was killed. The Machine has
// gone with it, but for its control groups.
func RemoveMachine(pid int) {
	if group, err := machineGroup(pid); err == nil && exists(group) {
		(&Machine{group: group}).ShutDown()
	}
}

// Add gives the Machine a copy of an executable file, below machineFiles.
func (m *Machine) Add(name, path string) error {
	dir := filepath.Join(m.dir, "files")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return CopyFile(filepath.Join(dir, name), path)
}

// start starts this program again as the init of the new namespaces.
func (m *Machine) start(rootfs, dir string) error {
	group, err := os.Open(m.group)
	if err != nil {
		return err
	}
	defer group.Close()
	log, err := os.Create(m.Log)
	if err != nil {
		return err
	}
	defer log.Close()
	m.cmd = exec.Command("/proc/self/exe")
	m.cmd.Dir, m.cmd.Stdout, m.cmd.Stderr = dir, log, log
	m.cmd.Env = []string{machineVariable + "=" + rootfs}
	m.cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWNET,
		UseCgroupFD: true, CgroupFD: int(group.Fd()), Setsid: true, Pdeathsig: syscall.SIGKILL,
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig is the death of this thread, which lasts as long as the process
		started <- m.cmd.Start()
		select {}
	}()
	return <-started
}

// Root is where the host finds the Machine's root file system.
func (m *Machine) Root() string { return fmt.Sprintf("/proc/%d/root", m.cmd.Process.Pid) }

// The init of a Machine stays on its first thread, which has the Pdeathsig, and whose control group namespace it makes:
// only what is locked in init is there for sure.
func init() {
	if os.Getenv(machineVariable) != "" {
		runtime.LockOSThread()
	}
}

// MachineMain is for the beginning of TestMain: it does not return where this process is the init of a Machine.
func MachineMain() {
	if os.Getenv(machineVariable) != "" {
		fmt.Fprintln(os.Stderr, becomeMachine())
		os.Exit(1)
	}
}

// becomeMachine is the init's way to systemd; it returns only on an error. The working directory is Boot's.
func becomeMachine() error {
	rootfs := os.Getenv(machineVariable)
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make / private: %w", err)
	}
	if err := mountMachine(rootfs); err != nil {
		return err
	}
	// Not chroot(2): under one, nobody may make a user namespace.
	if err := unix.Chdir("root"); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the host's root: %w", err)
	}
	// As systemd does by itself on a real machine.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("make / shared: %w", err)
	}
	env := []string{"container=other", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb"}
	args := []string{"/lib/systemd/systemd", "--log-target=console", "--show-status=0", "systemd.unit=multi-user.target"}
	return fmt.Errorf("execute systemd: %w", unix.Exec(args[0], args, env))
}

// mountMachine lays out root, a writable copy of the root file system.
func mountMachine(rootfs string) error {
	if err := os.Mkdir("space", 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", "space", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	for _, dir := range []string{"space/upper" + machineFiles, "space/work", "root"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	mounts := []struct {
		fs, at, data string
	}{
		{"overlay", "root", "lowerdir=" + rootfs + ",upperdir=space/upper,workdir=space/work"},
		{"proc", "root/proc", ""}, {"sysfs", "root/sys", ""}, {"cgroup2", "root/sys/fs/cgroup", ""},
		{"tmpfs", "root/run", "mode=755"}, {"tmpfs", "root/tmp", "mode=1777"}, {"tmpfs", "root/dev", "mode=755"},
	}
	for _, m := range mounts {
		if err := unix.Mount(m.fs, m.at, m.fs, 0, m.data); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.fs, m.at, err)
		}
	}
	if err := unix.Mount("files", "root"+machineFiles, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind the files: %w", err)
	}
	return machineDevices("root/dev")
}

func machineDevices(dir string) error {
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		at := filepath.Join(dir, name)
		if err := os.WriteFile(at, nil, 0o666); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+name, at, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind /dev/%s: %w", name, err)
		}
	}
	for _, name := range []string{"pts", "shm"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("devpts", filepath.Join(dir, "pts"), "devpts", 0, "newinstance,ptmxmode=666"); err != nil {
		return fmt.Errorf("mount devpts: %w", err)
	}
	return errors.Join(os.Symlink("pts/ptmx", filepath.Join(dir, "ptmx")), os.Symlink("/proc/self/fd", filepath.Join(dir, "fd")))
}

// bootPatience bounds the boot of a Machine.
const bootPatience = time.Minute

// awaitBoot waits until systemd has done what it has to. It says so itself, once it answers at all; the first
// file of its that appears is its socket.
func (m *Machine) awaitBoot() error {
	socket := m.Root() + "/run/systemd/private"
	end := time.Now().Add(bootPatience)
	for !exists(socket) || !m.inside(machineFiles) {
		if time.Now().After(end) {
			return fmt.Errorf("systemd does not come up: %s", m.lastWords())
		}
		time.Sleep(10 * time.Millisecond)
	}
	out, err := m.Command("systemctl", "is-system-running", "--wait").CombinedOutput()
	if state := strings.TrimSpace(string(out)); state != "running" && state != "degraded" {
		return fmt.Errorf("systemd does not come up: %s, %v: %s", state, err, m.lastWords())
	}
	return nil
}

// inside says whether the Machine's root has a file, which it has only as its own.
func (m *Machine) inside(path string) bool {
	return exists(m.Root() + path)
}

// exists tells whether there is anything at a path, a dangling link included.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (m *Machine) lastWords() string {
	text, _ := os.ReadFile(m.Log)
	return lastLines(string(text), 5)
}

// Command prepares a command to run in the Machine.
func (m *Machine) Command(args ...string) *exec.Cmd {
	pid := strconv.Itoa(m.cmd.Process.Pid)
	cmd := exec.Command("nsenter", append([]string{"--target", pid, "--all", "--root", "--wd", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}
	return cmd
}

// ShutDown ends the Machine at once, and removes its control groups.
func (m *Machine) ShutDown() {
	if m.cmd != nil && m.cmd.Process != nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
	}
	_ = os.WriteFile(filepath.Join(m.group, "cgroup.kill"), []byte("1"), 0) // what nsenter put there
	for end := time.Now().Add(20 * time.Second); removeGroups(m.group) != nil && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
}

// removeGroups removes a group with all below it.
func removeGroups(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeGroups(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return unix.Rmdir(dir)
}

// v2Tree is where the version 2 tree is mounted.
func v2Tree() (string, error) {
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
			return dir, nil
		}
	}
	return "", errors.New("no cgroup v2 tree is mounted")
}
