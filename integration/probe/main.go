// Command probe runs inside the containers of the end-to-end tests (and as their hooks) and reports what
// it sees. It is static, so that any root file system can hold it.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"

	"github.com/dhow-containers/dhow/integration/facts"
)

var verbs = map[string]func(args []string) error{
	"dump":    dump,     // print the facts of this process as JSON
	"syscall": syscalls, // NUMBER [ARG…]: make one system call, print its errno
	"hog":     hog,      // MIB: touch that much memory
	"huge":    huge,     // MIB: touch that much memory in huge pages of 2 MiB
	"forks":   forks,    // N: start N children that wait, print how many the kernel allowed
	"cwd":     cwd,      // say whether the working directory lies under the root directory
	"hook":    hook,     // FILE: append what a hook sees to FILE
	"exe":     exe,      // SECONDS: try to write to any executable but this one through /proc
	"notify":  notify,   // TEXT: send it to NOTIFY_SOCKET
	"clocks":  clocks,   // print the boot and monotonic clocks in seconds
	"count":   count,    // FILE: append numbers to FILE
	"say":     say,      // print numbers
	"talk":    talk,     // FILE [ADDRESS]: append numbers to FILE that come back over TCP
	"lock":    lock,     // FILE LOCK: append numbers to FILE while LOCK is locked
	"send":    dgrams,   // FILE SOCKET: send numbers to a unix socket
	"tty":     terminal, // print numbers, and what is typed
}

func main() {
	if len(os.Args) < 2 || verbs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: probe dump|syscall|hog|huge|forks|cwd|hook|exe|notify|clocks|count|say|talk|lock|send|tty [ARG…]")
		os.Exit(2)
	}
	if err := verbs[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func dump([]string) error {
	f, err := facts.Collect()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

func notify(args []string) error {
	conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(args[0]))
	return err
}
