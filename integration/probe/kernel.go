package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func syscalls(args []string) error {
	var n [7]uintptr
	if len(args) == 0 || len(args) > len(n) {
		return errors.New("syscall NUMBER [ARG…]")
	}
	for i, a := range args {
		v, err := strconv.ParseUint(a, 0, 64)
		if err != nil {
			return err
		}
		n[i] = uintptr(v)
	}
	_, _, errno := syscall.Syscall6(n[0], n[1], n[2], n[3], n[4], n[5], n[6])
	fmt.Println(int(errno))
	return nil
}

func hog(args []string) error {
	mib, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	mem := make([]byte, mib<<20)
	for i := 0; i < len(mem); i += os.Getpagesize() {
		mem[i] = 1
	}
	fmt.Println("touched", mib, "MiB")
	return nil
}

func huge(args []string) error {
	mib, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	mem, err := unix.Mmap(-1, 0, mib<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_HUGETLB|unix.MAP_HUGE_2MB)
	if err != nil {
		return err
	}
	for i := 0; i < len(mem); i += 2 << 20 {
		mem[i] = 1
	}
	fmt.Println("touched", mib, "MiB")
	return unix.Munmap(mem)
}

func forks(args []string) error {
	want, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	started := 0
	for ; started < want; started++ {
		child := exec.Command("/bin/sleep", "60")
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			break
		}
		defer func() { _ = child.Process.Kill() }()
	}
	fmt.Println(started)
	return nil
}

// cwd walks up from the working directory; inside a container the walk must end at its root directory.
func cwd([]string) error {
	var root, here, above unix.Stat_t
	if err := unix.Stat("/", &root); err != nil {
		return err
	}
	for {
		if err := errors.Join(unix.Stat(".", &here), unix.Stat("..", &above)); err != nil {
			return err
		}
		if same(here, root) {
			fmt.Println("inside")
			return nil
		}
		if same(here, above) {
			fmt.Println("ESCAPED")
			return nil
		}
		if err := unix.Chdir(".."); err != nil {
			return err
		}
	}
}

func same(a, b unix.Stat_t) bool { return a.Dev == b.Dev && a.Ino == b.Ino }

func clocks([]string) error {
	for _, id := range []int32{unix.CLOCK_BOOTTIME, unix.CLOCK_MONOTONIC} {
		var ts unix.Timespec
		if err := unix.ClockGettime(id, &ts); err != nil {
			return err
		}
		fmt.Println(ts.Sec)
	}
	return nil
}
