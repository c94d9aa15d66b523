package command_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/command"
	"github.com/dhow-containers/dhow/shim/socket"
)

// fakeVariable makes this program a runtime: what it is to do. callsVariable is the file where it notes how it was called.
const (
	fakeVariable  = "DHOW_TEST_RUNTIME"
	callsVariable = "DHOW_TEST_CALLS"
)

func TestMain(m *testing.M) {
	if how := os.Getenv(fakeVariable); how != "" {
		fake(how, os.Args[1:])
		return
	}
	os.Exit(m.Run())
}

func fake(how string, args []string) {
	calls, err := os.OpenFile(os.Getenv(callsVariable), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	must(err)
	must(json.NewEncoder(calls).Encode(args))
	flag := func(name string) string {
		if i := slices.Index(args, name); i >= 0 {
			return args[i+1]
		}
		return ""
	}
	switch how {
	case "log":
		must(os.WriteFile(flag("--log"), []byte(`{"level":"warning","msg":"w"}
{"level":"error","msg":"first"}
not JSON
{"level":"error","msg":"it \"broke\""}
{"level":"info","msg":"i"}
`), 0o600))
		os.Exit(1)
	case "words":
		fmt.Fprintln(os.Stderr, "one\n two ")
		os.Exit(1)
	case "exit":
		os.Exit(9)
	case "killed":
		must(unix.Kill(os.Getpid(), unix.SIGKILL))
		select {}
	case "garbage":
		fmt.Print("{")
		return
	}
	for _, name := range []string{"--process", "--resources"} {
		if path := flag(name); path != "" {
			text, err := os.ReadFile(path)
			must(err)
			must(json.NewEncoder(calls).Encode([]string{string(text)}))
		}
	}
	if path := flag("--console-socket"); path != "" && how != "no terminal" {
		sendTerminal(path)
	}
	if path := flag("--pid-file"); path != "" {
		sleep := exec.Command("/bin/sleep", "1000")
		must(sleep.Start())
		must(os.WriteFile(path, []byte(strconv.Itoa(sleep.Process.Pid)), 0o600))
	}
	if slices.Contains(args, "state") {
		fmt.Print(`{"ociVersion":"1.0.2","id":"c","pid":17,"status":"running","bundle":"/b","rootfs":"/b/rootfs","owner":""}`)
	}
	if slices.Contains(args, "ps") {
		fmt.Print("[17,18]")
	}
}

func sendTerminal(path string) {
	fd, err := socket.Dial(path, unix.SOCK_STREAM)
	must(err)
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	must(err)
	must(unix.Sendmsg(fd, []byte("/dev/ptmx"), unix.UnixRights(int(master.Fd())), nil, 0))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
}

// world is a runtime, and what it was called with.
type world struct {
	*command.Runtime
	calls string
}

func newWorld(t *testing.T, how string) *world {
	t.Helper()
	dir := t.TempDir()
	t.Setenv(fakeVariable, how)
	t.Setenv(callsVariable, dir+"/calls")
	t.Setenv("NOTIFY_SOCKET", "/run/x")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bundle := dir + "/bundle-with-a-name-that-is-much-too-long-for-the-address-of-a-socket-of-which-107-bytes-fit-into-one"
	if err := os.Mkdir(bundle, 0o700); err != nil {
		t.Fatal(err)
	}
	return &world{&command.Runtime{Path: program, Args: []string{"--odd", "a b"}, Root: dir + "/root", Bundle: bundle}, dir + "/calls"}
}

// called returns how the program was called, without what comes first and what differs from time to time.
func (w *world) called(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(w.calls)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(w.calls)
	var all []string
	for line := range strings.Lines(string(text)) {
		var args []string
		if err := json.Unmarshal([]byte(line), &args); err != nil {
			t.Fatal(err)
		}
		for i, a := range args {
			switch {
			case strings.HasPrefix(a, "/proc/"):
				args[i] = "FILE"
			case strings.HasPrefix(a, w.Bundle):
				args[i] = "BUNDLE" + a[len(w.Bundle):]
			case a == w.Root:
				args[i] = "ROOT"
			}
		}
		all = append(all, strings.TrimPrefix(strings.Join(args, " "), "--odd a b --root ROOT --log FILE --log-format json "))
	}
	return all
}
