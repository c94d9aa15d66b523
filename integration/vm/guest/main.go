// Command guest is the first process of the virtual machine. It loads modules, makes a system of the
// initramfs or hands over to systemd on the disk, and as "guest agent" carries out the job.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration/vm/job"
)

func main() {
	j, err := readJob()
	switch {
	case err != nil:
	case len(os.Args) > 1 && os.Args[1] == "agent":
		err = agent(j)
	case os.Getpid() == 1:
		err = boot(j)
	default:
		err = errors.New("not the first process")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
	}
	powerOff()
}

func readJob() (j job.Job, err error) {
	data, err := os.ReadFile(job.File)
	if err != nil {
		return j, err
	}
	return j, json.Unmarshal(data, &j)
}

func powerOff() {
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	os.Exit(1) // the kernel panics, and the host sees it
}

// boot returns only when all is over, or with an error.
func boot(j job.Job) error {
	err := mountAll([]mount{
		{"devtmpfs", "/dev", "", 0},
		{"proc", "/proc", "", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
		{"sysfs", "/sys", "", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
	})
	if err != nil {
		return err
	}
	for _, file := range j.Modules {
		if err := load(file); err != nil {
			return fmt.Errorf("cannot load %s: %w", file, err)
		}
	}
	if j.Systemd {
		return bootSystemd()
	}
	return bootPlain()
}

func load(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.FinitModule(int(f.Fd()), "", 0)
}

type mount struct {
	kind, at, data string
	flags          uintptr
}

func mountAll(list []mount) error {
	for _, m := range list {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.at, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("cannot mount %s on %s: %w", m.kind, m.at, err)
		}
	}
	return nil
}

// switchRoot makes a mounted directory the root: the initramfs itself can be neither unmounted nor
// pivoted from.
func switchRoot(dir string) error {
	for _, m := range []string{"/dev", "/proc", "/sys"} {
		if err := os.MkdirAll(dir+m, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m, dir+m, "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("cannot move %s: %w", m, err)
		}
	}
	return errors.Join(unix.Chdir(dir), unix.Mount(".", "/", "", unix.MS_MOVE, ""), unix.Chroot("."), unix.Chdir("/"))
}

// diskBySerial finds the device of a virtio disk.
func diskBySerial(serial string) (string, error) {
	disks, err := os.ReadDir("/sys/block")
	if err != nil {
		return "", err
	}
	for _, d := range disks {
		data, err := os.ReadFile("/sys/block/" + d.Name() + "/serial")
		if err == nil && strings.TrimSpace(string(data)) == serial {
			return "/dev/" + d.Name(), nil
		}
	}
	return "", fmt.Errorf("there is no disk %q", serial)
}

// run is for the few programs that prepare the system.
func run(args ...string) error {
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
