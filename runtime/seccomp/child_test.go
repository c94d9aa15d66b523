package seccomp

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	childEnv   = "DHOW_SECCOMP_TEST_CHILD"
	profileEnv = "DHOW_SECCOMP_TEST_PROFILE"
)

// child is the test program in a process of its own: it loads the profile's filter, makes a system call
// and prints the errno. what is "call" or "thread": with "thread" the filter is that of a thread which
// makes the call, and what is printed is whether it died.
func child(what string) int {
	filter, err := Load([]byte(os.Getenv(profileEnv)), "")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	var nr uintptr
	fmt.Sscan(os.Getenv("DHOW_SECCOMP_TEST_NR"), &nr)
	if what == "thread" {
		return inThread(filter, nr)
	}
	runtime.LockOSThread()
	if err := install(filter, unix.SECCOMP_FILTER_FLAG_TSYNC); err != nil {
		fmt.Println(err)
		return 1
	}
	_, _, errno := unix.Syscall(nr, 0, 0, 0)
	fmt.Printf("errno %d\n", int(errno))
	return 0
}

func inThread(filter *Filter, nr uintptr) int {
	tid := make(chan int)
	go func() {
		runtime.LockOSThread()
		tid <- unix.Gettid()
		if err := install(filter, 0); err == nil {
			unix.Syscall(nr, 0, 0, 0)
		}
		tid <- 0 // not reached by a dead thread
	}()
	stat := fmt.Sprintf("/proc/self/task/%d/stat", <-tid)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		// The first thread of a process stays as a zombie.
		if b, err := os.ReadFile(stat); err != nil || bytes.Contains(b, []byte(") Z ")) {
			fmt.Println("thread killed")
			return 0
		}
	}
	fmt.Println("thread lives")
	return 0
}

func install(f *Filter, flags uint) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(f.Insns) / 8), Filter: (*unix.SockFilter)(unsafe.Pointer(&f.Insns[0]))}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(f.Flags|flags), uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}
