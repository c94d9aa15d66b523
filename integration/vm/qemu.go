package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dhow-containers/dhow/integration/vm/job"
)

// machine is one virtual machine, from power on to power off.
type machine struct {
	dir, kernel, initrd, disk string
	options                   *options
}

func (m *machine) console() string { return filepath.Join(m.dir, "console") }

// cmdline has no version 1 control groups, a reboot (which ends qemu) after a panic, and huge pages for tests.
const cmdline = "console=ttyS0 quiet loglevel=4 panic=-1 oops=panic cgroup_no_v1=all hugepages=16 rdinit=/init"

func (m *machine) args() []string {
	args := []string{
		"-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", strconv.Itoa(m.options.cpus), "-m", strconv.Itoa(m.options.memory),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", m.kernel, "-initrd", m.initrd, "-append", cmdline,
		"-chardev", "file,id=console,path=" + m.console(), "-serial", "chardev:console",
		"-device", "virtio-serial-pci",
		"-chardev", "stdio,id=results,signal=off", "-device", "virtserialport,chardev=results,name=" + job.Port,
	}
	args = append(args, disk(job.ScratchDisk, filepath.Join(m.dir, "scratch"))...)
	args = append(args, disk(job.SwapDisk, filepath.Join(m.dir, "swap"))...)
	args = append(args, disk(job.TempDisk, filepath.Join(m.dir, "temp"))...)
	if m.disk != "" {
		args = append(args, disk(job.RootDisk, m.disk)...)
	}
	return args
}

// disk is a virtio disk whose changes go to a temporary file.
func disk(serial, file string) []string {
	return []string{
		"-drive", "if=none,format=raw,snapshot=on,cache=unsafe,id=" + serial + ",file=" + file,
		"-device", "virtio-blk-pci,drive=" + serial + ",serial=" + serial,
	}
}

const (
	scratchSize = 64 << 20
	swapSize    = 256 << 20
	tempSize    = 2 << 30
)

func (m *machine) makeDisks() error {
	if err := sparse(filepath.Join(m.dir, "scratch"), scratchSize, nil); err != nil {
		return err
	}
	if err := makeExt4(filepath.Join(m.dir, "temp"), tempSize, ""); err != nil {
		return err
	}
	return sparse(filepath.Join(m.dir, "swap"), swapSize, swapHeader(swapSize))
}

// swapHeader is the first page of swap space, see mkswap(8) and include/linux/swap.h in the kernel.
func swapHeader(size int) []byte {
	const page = 4096
	h := make([]byte, page)
	binary.LittleEndian.PutUint32(h[1024:], 1) // version
	binary.LittleEndian.PutUint32(h[1028:], uint32(size/page-1))
	copy(h[page-10:], "SWAPSPACE2")
	return h
}

func sparse(file string, size int64, head []byte) error {
	if err := os.WriteFile(file, head, 0o600); err != nil {
		return err
	}
	return os.Truncate(file, size)
}

// errInterrupted says that a signal has ended the driver: whatever was to come after it is not to be done either.
var errInterrupted = errors.New("interrupted")

// run powers the machine on, reports what comes over the port, and takes care that qemu is gone at the end.
func (m *machine) run() (code int, err error) {
	if err := m.makeDisks(); err != nil {
		return 1, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, m.options.timeout, fmt.Errorf("the machine did not end in %v", m.options.timeout))
	defer cancel()
	runtime.LockOSThread() // Pdeathsig is the death of this thread
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", m.args()...)
	cmd.Env = append(os.Environ(), "TMPDIR="+m.dir) // snapshots
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var complaint strings.Builder
	cmd.Stderr = &complaint
	hold, err := cmd.StdinPipe() // at its end the port would be closed
	if err != nil {
		return 1, err
	}
	defer hold.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 1, err
	}
	progress("starting %s", filepath.Base(m.kernel))
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	rep := &report{out: os.Stdout}
	readErr := rep.read(out)
	err = cmd.Wait()
	progress("the machine was on for %.1f s", time.Since(start).Seconds())
	switch ctx.Err() {
	case context.Canceled:
		err = errInterrupted
	case context.DeadlineExceeded:
		err = context.Cause(ctx)
	}
	rep.interrupted()
	if err = errors.Join(err, readErr); err == nil && !rep.done {
		err = errors.New("the machine went off before it was done")
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s%slast lines of the console:\n%s", err, complaint.String(), rep.tail(), m.consoleTail())
	} else if m.options.verbose {
		fmt.Fprint(os.Stderr, m.consoleTail())
	}
	return rep.code, err
}

func (m *machine) consoleTail() string {
	f, err := os.Open(m.console())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > 6000 && !m.options.verbose {
		_, _ = f.Seek(-6000, io.SeekEnd)
	}
	data, _ := io.ReadAll(f) // all there is to say is in it
	return string(data)
}
