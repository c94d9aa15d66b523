package integration

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// activated runs a command as a service manager does that has opened descriptors for it: LISTEN_PID is its own.
func (r *cli) activated(files []*os.File, n int, args ...string) *result {
	r.t.Helper()
	cmd := r.Command(args...)
	cmd.Args = append([]string{"sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=" + itoa(n) + ` LISTEN_FDNAMES=web:log exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	cmd.ExtraFiles = files
	return r.DoCommand(cmd)
}

func TestSocketActivation(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	files := someFiles(t, 3)
	b := newBundle(t, probe("dump"))
	f := r.activated(files, 2, "run", "--preserve-fds", "1", "--bundle", b.Dir, r.ID()).Facts()
	for i, file := range files {
		if got := f.FDs[3+i]; got != file.Name() {
			t.Errorf("descriptor %d is %q, want %s", 3+i, got, file.Name())
		}
	}
	want := []string{"LISTEN_FDS=2", "LISTEN_PID=1"}
	if underTest.kind == Dhow {
		want = append(want, "LISTEN_FDNAMES=web:log")
	}
	for _, v := range want {
		if !slices.Contains(f.Env, v) {
			t.Errorf("the environment lacks %s: %q", v, f.Env)
		}
	}
	if underTest.kind != Dhow {
		return // runc takes whatever it has open itself
	}
	// --preserve-fds counts from behind them, and so finds nothing here.
	r.activated(files, 3, "run", "--preserve-fds", "1", "--bundle", b.Dir, r.ID()).Failed()
}

func TestSocketActivationAcrossCreateAndStart(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell(`echo "$LISTEN_FDS $LISTEN_PID $(cat <&3)" > /out`))
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, []byte("content"), 0o644))
	f, err := os.Open(file)
	must(t, err)
	defer f.Close()
	id := r.ID()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	must(t, err)
	defer null.Close()
	cmd := r.Command("create", "--bundle", b.Dir, id)
	cmd.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path, cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = "/bin/sh", []*os.File{f}, null, null
	r.DoCommand(cmd).Exited(0)
	r.Must("start", id)
	r.AwaitStatus(id, "stopped")
	if got := readFile(t, filepath.Join(b.Rootfs(), "out")); got != "1 1 content" {
		t.Errorf("the container saw %q", got)
	}
}

// Variables that are meant for another process are not for the container.
func TestSocketActivationOfSomebodyElse(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	cmd := r.Command("run", "--bundle", newBundle(t, probe("dump")).Dir, r.ID())
	cmd.Env = append(os.Environ(), "LISTEN_PID=1", "LISTEN_FDS=1")
	cmd.ExtraFiles = someFiles(t, 1)
	f := r.DoCommand(cmd).Facts()
	if slices.ContainsFunc(f.Env, func(v string) bool { return strings.HasPrefix(v, "LISTEN_") }) || f.FDs[3] != "" {
		t.Errorf("the container got %q and descriptor 3 %q", f.Env, f.FDs[3])
	}
}

// manager is a service manager's notification socket; it closes the descriptors of barriers.
type manager struct {
	t    *testing.T
	Path string
	got  chan string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	m := &manager{t, filepath.Join(t.TempDir(), "manager"), make(chan string, 16)}
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.Path, Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { socket.Close() })
	go func() {
		data, oob := make([]byte, 4096), make([]byte, 256)
		for {
			n, oobn, _, _, err := socket.ReadMsgUnix(data, oob)
			if err != nil {
				return
			}
			if msgs, err := unix.ParseSocketControlMessage(oob[:oobn]); err == nil && len(msgs) > 0 {
				fds, _ := unix.ParseUnixRights(&msgs[0])
				for _, fd := range fds {
					unix.Close(fd)
				}
			}
			m.got <- strings.TrimSpace(string(data[:n]))
		}
	}()
	return m
}

// Got waits for the next message.
func (m *manager) Got() string {
	m.t.Helper()
	select {
	case text := <-m.got:
		return text
	case <-time.After(patience):
		m.t.Fatal("the service manager was not told anything")
	}
	panic("unreachable")
}

// says has the container send a notification to the socket it is offered, and go on.
func says(text, then string) Edit {
	return both(withProbe, Shell(`/probe notify "`+text+`"; `+then))
}

func TestNotifySocketOfADetachedRun(t *testing.T) {
	t.Parallel()
	r, m := newCLI(t), newManager(t)
	r.Env = append(os.Environ(), "NOTIFY_SOCKET="+m.Path)
	id := r.ID()
	r.Detached("run", "--detach", "--bundle", newBundle(t, says("READY=1", "sleep 1000")).Dir, id).Exited(0)
	expectNotification(t, m, r.State(id).Pid)
}

func TestNotifySocketAcrossCreateAndStart(t *testing.T) {
	t.Parallel()
	r, m := newCLI(t), newManager(t)
	r.Env = append(os.Environ(), "NOTIFY_SOCKET="+m.Path)
	id := r.Create(newBundle(t, says("READY=1", "sleep 1000")))
	r.Must("start", id)
	expectNotification(t, m, r.State(id).Pid)
}

func expectNotification(t *testing.T, m *manager, pid int) {
	t.Helper()
	for _, want := range []string{"READY=1", "MAINPID=" + itoa(pid), "BARRIER=1"} {
		if got := m.Got(); got != want {
			t.Errorf("the service manager was told %q, want %q", got, want)
		}
	}
}

// In the foreground the runtime is the service's main process.
func TestNotifySocketInTheForeground(t *testing.T) {
	t.Parallel()
	r, m := newCLI(t), newManager(t)
	cmd := r.Command("run", "--bundle", newBundle(t, says("READY=1", "exit 3")).Dir, r.ID())
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+m.Path)
	r.DoCommand(cmd).Exited(3)
	if got := m.Got(); got != "READY=1" {
		t.Errorf("the service manager was told %q", got)
	}
	if got := m.Got(); got != "MAINPID="+itoa(cmd.Process.Pid) {
		t.Errorf("the service manager was told %q, the runtime is %d", got, cmd.Process.Pid)
	}
}

// A container cannot make itself out to be another process, and one that is never ready holds nobody up.
func TestNotifySocketPassesNothingElse(t *testing.T) {
	t.Parallel()
	r, m := newCLI(t), newManager(t)
	r.Env = append(os.Environ(), "NOTIFY_SOCKET="+m.Path)
	id := r.Create(newBundle(t, says("MAINPID=1", "/probe notify STATUS=x; exit 0")))
	r.Must("start", id)
	r.AwaitStatus(id, "stopped")
	select {
	case text := <-m.got:
		t.Errorf("the service manager was told %q", text)
	default:
	}
}

// The socket is the container's to write to whoever its user is, and gone with the container.
func TestNotifySocketOfAUser(t *testing.T) {
	onlyDhow(t, "it only looks at the first line")
	t.Parallel()
	r, m := newCLI(t), newManager(t)
	r.Env = append(os.Environ(), "NOTIFY_SOCKET="+m.Path)
	id := r.ID()
	b := newBundle(t, says("STATUS=x\nREADY=1", "sleep 1000"), User(1000, 1000),
		Process(func(p *specs.Process) { p.Capabilities = &specs.LinuxCapabilities{} }))
	r.Detached("run", "--detach", "--bundle", b.Dir, id).Exited(0)
	expectNotification(t, m, r.State(id).Pid)
	r.Must("delete", "--force", id)
	if exists(filepath.Join(r.Root, id)) {
		t.Error("the state directory is left over")
	}
}
