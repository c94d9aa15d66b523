package cgroup

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"github.com/dhow-containers/dhow/runtime/internal/dbus"
)

// fakeSystemd answers on a socket like systemd, and on a bus like the bus too. Its side of the protocol is
// godbus's.
type fakeSystemd struct {
	t       *testing.T
	answer  map[string]func(f *fakeSystemd, call *godbus.Message) // by member
	results []string                                              // of the next jobs; "" for none at all

	mu    sync.Mutex
	calls []string
	conn  net.Conn
	jobs  int
}

func serveSystemd(t *testing.T, socket string) *fakeSystemd {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	f := &fakeSystemd{t: t, answer: map[string]func(*fakeSystemd, *godbus.Message){}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.conn = conn
			f.serve(conn)
			conn.Close()
		}
	}()
	return f
}

// fakeHost is the systemd of the host.
func fakeHost(t *testing.T) *fakeSystemd {
	t.Helper()
	old, oldBus := systemdSocket, systemBus
	systemdSocket = filepath.Join(t.TempDir(), "private")
	systemBus = "unix:path=" + filepath.Join(t.TempDir(), "none")
	t.Cleanup(func() { systemdSocket, systemBus = old, oldBus })
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "")
	return serveSystemd(t, systemdSocket)
}

func shorterWait(t *testing.T, d time.Duration) {
	old := unitLimit
	unitLimit = d
	t.Cleanup(func() { unitLimit = old })
}

// on sets the answer to a call; nil stands for the usual one.
func (f *fakeSystemd) on(member string, answer func(*fakeSystemd, *godbus.Message)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer[member] = answer
}

// next sets the results of the next jobs.
func (f *fakeSystemd) next(results ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.results = results
}

// history is the text of all calls so far.
func (f *fakeSystemd) history() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.calls, " ")
}

func (f *fakeSystemd) serve(conn net.Conn) {
	r := bufio.NewReader(conn)
	if zero, err := r.ReadByte(); err != nil || zero != 0 {
		f.t.Errorf("the first byte is %d, %v", zero, err)
		return
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch line {
		case "AUTH EXTERNAL\r\n":
			fmt.Fprint(conn, "DATA\r\n")
		case "DATA\r\n":
			fmt.Fprint(conn, "OK 0123456789abcdef0123456789abcdef\r\n")
		case "BEGIN\r\n":
			for f.message(r) {
			}
			return
		default:
			fmt.Fprint(conn, "ERROR\r\n")
		}
	}
}

func (f *fakeSystemd) message(r *bufio.Reader) bool {
	m, err := godbus.DecodeMessage(r)
	if err != nil {
		return false
	}
	member := m.Headers[godbus.FieldMember].Value().(string)
	f.mu.Lock()
	f.calls = append(f.calls, member+bodyText(m.Body))
	answer := f.answer[member]
	f.mu.Unlock()
	switch {
	case answer != nil:
		answer(f, m)
	case member == "StartTransientUnit" || member == "StopUnit":
		f.job(m)
	default:
		f.reply(m)
	}
	return true
}

// bodyText shows strings and numbers; of a list of properties their names.
func bodyText(body []any) string {
	var words []string
	for _, v := range body {
		switch x := v.(type) {
		case [][]any:
			for _, p := range x {
				words = append(words, fmt.Sprintf("%v=%v", p[0], p[1].(godbus.Variant).Value()))
			}
		default:
			words = append(words, fmt.Sprint(x))
		}
	}
	return "(" + strings.Join(words, " ") + ")"
}

func (f *fakeSystemd) send(m *godbus.Message) {
	if err := m.EncodeTo(f.conn, binary.LittleEndian); err != nil {
		f.t.Logf("send: %v", err)
	}
}

func (f *fakeSystemd) reply(call *godbus.Message, body ...any) {
	m := &godbus.Message{Type: godbus.TypeMethodReply, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldReplySerial: godbus.MakeVariant(call.Serial()),
	}, Body: body}
	if len(body) > 0 {
		m.Headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.SignatureOf(body...))
	}
	f.send(m)
}

func (f *fakeSystemd) fail(call *godbus.Message, name string) {
	text := "it is so"
	f.send(&godbus.Message{Type: godbus.TypeError, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldReplySerial: godbus.MakeVariant(call.Serial()), godbus.FieldErrorName: godbus.MakeVariant(name),
		godbus.FieldSignature: godbus.MakeVariant(godbus.SignatureOf(text)),
	}, Body: []any{text}})
}

// job answers with a job, and ends another one first; its own end comes even before the answer.
func (f *fakeSystemd) job(call *godbus.Message) {
	f.jobs++
	job := godbus.ObjectPath(fmt.Sprintf("/org/freedesktop/systemd1/job/%d", f.jobs))
	result := "done"
	f.mu.Lock()
	if len(f.results) > 0 {
		result, f.results = f.results[0], f.results[1:]
	}
	f.mu.Unlock()
	f.jobRemoved(99, "/org/freedesktop/systemd1/job/99", "failed")
	if result != "" {
		f.jobRemoved(uint32(f.jobs), job, result)
	}
	f.reply(call, job)
}

func (f *fakeSystemd) jobRemoved(id uint32, job godbus.ObjectPath, result string) {
	body := []any{id, job, "x.scope", result}
	f.send(&godbus.Message{Type: godbus.TypeSignal, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldPath: godbus.MakeVariant(godbus.ObjectPath(managerPath)), godbus.FieldInterface: godbus.MakeVariant(managerInterface),
		godbus.FieldMember: godbus.MakeVariant("JobRemoved"), godbus.FieldSignature: godbus.MakeVariant(godbus.SignatureOf(body...)),
	}, Body: body})
}

func (f *fakeSystemd) said(want ...string) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.calls, want) {
		f.t.Errorf("calls:\n%s\nwant\n%s", strings.Join(f.calls, "\n"), strings.Join(want, "\n"))
	}
}

func sampleUnit() *Unit {
	return &Unit{Name: "dhow-c1.scope", Properties: []Property{
		{Name: "Slice", Value: dbus.String("a.slice")}, {Name: "TasksMax", Value: dbus.Uint64(5), Field: "linux.resources.pids.limit"},
	}}
}

const startCall = "StartTransientUnit(dhow-c1.scope replace Slice=a.slice TasksMax=5 PIDs=[42])"

func TestUnitStart(t *testing.T) {
	f := fakeHost(t)
	if accepted, err := sampleUnit().start(42); !accepted || err != nil {
		t.Fatal(accepted, err)
	}
	f.said(startCall)
}

// A failed unit of the same name goes; one that lives stays, and is none of ours.
func TestUnitThatExists(t *testing.T) {
	f := fakeHost(t)
	f.on("StartTransientUnit", func(f *fakeSystemd, m *godbus.Message) { f.fail(m, errUnitExists) })
	accepted, err := sampleUnit().start(42)
	if accepted || err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Error(accepted, err)
	}
	if _, ok := err.(conflict); !ok {
		t.Errorf("%T", err)
	}
	f.said(startCall, "ResetFailedUnit(dhow-c1.scope)", startCall)

	f = fakeHost(t)
	first := true
	f.on("StartTransientUnit", func(f *fakeSystemd, m *godbus.Message) {
		if first {
			f.fail(m, errUnitExists)
		} else {
			f.job(m)
		}
		first = false
	})
	if accepted, err := sampleUnit().start(42); !accepted || err != nil {
		t.Error(accepted, err)
	}
}

func TestUnitThatDoesNotStart(t *testing.T) {
	f := fakeHost(t)
	f.next("timeout")
	accepted, err := sampleUnit().start(42)
	if !accepted || err == nil || !strings.Contains(err.Error(), `dhow-c1.scope (linux.cgroupsPath): the job's result is "timeout"`) {
		t.Error(accepted, err)
	}
	f.on("StartTransientUnit", func(f *fakeSystemd, m *godbus.Message) { f.conn.Close() })
	if accepted, err = sampleUnit().start(42); accepted || err == nil || !strings.Contains(err.Error(), "closed the connection") {
		t.Error(accepted, err)
	}
	f.on("StartTransientUnit", func(f *fakeSystemd, m *godbus.Message) { f.fail(m, "org.freedesktop.DBus.Error.AccessDenied") })
	if accepted, err = sampleUnit().start(42); accepted || err == nil || !strings.Contains(err.Error(), "it is so") {
		t.Error(accepted, err)
	}
}

func TestUnitWaitsOnlySoLong(t *testing.T) {
	shorterWait(t, 100*time.Millisecond)
	f := fakeHost(t)
	f.next("")
	if accepted, err := sampleUnit().start(42); !accepted || err == nil || !strings.Contains(err.Error(), "timed out") {
		t.Error(accepted, err)
	}
	f.on("StopUnit", func(*fakeSystemd, *godbus.Message) {})
	if err := sampleUnit().stop(); err == nil || !strings.Contains(err.Error(), "timed out") {
		t.Error(err)
	}
}

func TestUnitStop(t *testing.T) {
	f := fakeHost(t)
	if err := sampleUnit().stop(); err != nil {
		t.Error(err)
	}
	f.said("StopUnit(dhow-c1.scope replace)", "ResetFailedUnit(dhow-c1.scope)")
	for _, member := range []string{"StopUnit", "ResetFailedUnit"} {
		f.on(member, func(f *fakeSystemd, m *godbus.Message) { f.fail(m, errNoSuchUnit) })
	}
	if err := sampleUnit().stop(); err != nil {
		t.Errorf("a unit that is gone: %v", err)
	}
	f.on("StopUnit", func(f *fakeSystemd, m *godbus.Message) { f.fail(m, "x.y.Other") })
	if err := sampleUnit().stop(); err == nil {
		t.Error("an error was lost")
	}
}

func TestUnitSet(t *testing.T) {
	f := fakeHost(t)
	if err := sampleUnit().set(); err != nil {
		t.Error(err)
	}
	f.said("SetUnitProperties(dhow-c1.scope true Slice=a.slice TasksMax=5)")
	f.on("SetUnitProperties", func(f *fakeSystemd, m *godbus.Message) { f.fail(m, "x.y.TasksMax") })
	if err := sampleUnit().set(); err == nil {
		t.Error("an error was lost")
	}
}

// An older systemd is not told what it does not know; the version is asked for only then.
func TestUnitPropertiesByVersion(t *testing.T) {
	for text, idle := range map[string]bool{"252.38-1~deb12u1": true, "v251.3": false, "257": true, "v252-rc1": true} {
		f := fakeHost(t)
		f.on("Get", func(f *fakeSystemd, m *godbus.Message) { f.reply(m, godbus.MakeVariant(text)) })
		u := sampleUnit()
		u.Properties = append(u.Properties, Property{Name: "CPUWeight", Value: dbus.Uint64(0), Since: cpuIdleSince})
		if err := u.set(); err != nil {
			t.Error(err)
		}
		if got := strings.Contains(f.history(), "CPUWeight=0"); got != idle {
			t.Errorf("%s: %s", text, f.history())
		}
	}
}

// The systemd of a user is found through the bus of the session, or its own socket.
func TestUnitOfAUser(t *testing.T) {
	dir := t.TempDir()
	f := serveSystemd(t, dir+"/session bus")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "tcp:host=x;unix:path="+strings.ReplaceAll(dir, "-", "%2d")+"/session%20bus,guid=1")
	f.on("Hello", func(f *fakeSystemd, m *godbus.Message) { f.reply(m, ":1.7") })
	u := sampleUnit()
	u.User = true
	if accepted, err := u.start(42); !accepted || err != nil {
		t.Fatal(accepted, err)
	}
	f.said("Hello()", "AddMatch(type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',"+
		"interface='org.freedesktop.systemd1.Manager',member='JobRemoved')", "Subscribe()", startCall)

	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", dir)
	f = serveSystemd(t, dir+"/systemd/private")
	f.on("Get", func(f *fakeSystemd, m *godbus.Message) {
		f.reply(m, godbus.MakeVariant("/user.slice/user-7.slice/user@7.service"))
	})
	p, err := CompileUnit(unifiedHost(), UnitOptions{ID: "c1", User: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "/sys/fs/cgroup/user.slice/user-7.slice/user@7.service/user.slice/dhow-c1.scope"; p.Dirs[0].Path != want || !p.Unit.User {
		t.Errorf("%+v, want %s", p.Dirs, want)
	}
	f.said("Get(org.freedesktop.systemd1.Manager ControlGroup)")
	if err := u.Attach("sub", 42); err != nil {
		t.Error(err)
	}
}

func TestNoSystemd(t *testing.T) {
	fakeHost(t)
	systemdSocket += "-none"
	_, err := sampleUnit().start(42)
	if err == nil || !strings.Contains(err.Error(), "cannot use --systemd-cgroup: no connection to the systemd of the host") ||
		!strings.Contains(err.Error(), systemdSocket) {
		t.Error(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", "")
	if _, err := userManagerGroup(); err == nil || !strings.Contains(err.Error(), "XDG_RUNTIME_DIR") {
		t.Error(err)
	}
}

// On a hybrid host the runtime makes the groups of the controllers, has systemd start the unit, and writes the limits
// then. When systemd refuses, nothing of it stays, the slice's directories neither.
func TestHostUnitOnAHybridHost(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	h, err := Detect()
	if err != nil || h.Mode != Hybrid {
		t.Skip("needs a hybrid host")
	}
	f := fakeHost(t)
	slice := fmt.Sprintf("dhowtest%d.slice", os.Getpid())
	p, err := CompileUnit(h, UnitOptions{ID: "c1", CgroupsPath: slice + ":p:x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	left := func() (list []string) {
		for _, d := range p.Dirs {
			if _, err := os.Stat(filepath.Dir(d.Path)); err == nil {
				list = append(list, filepath.Dir(d.Path))
			}
		}
		return list
	}
	for _, refuse := range []bool{true, false} {
		if refuse {
			f.on("StartTransientUnit", func(f *fakeSystemd, m *godbus.Message) { f.fail(m, "x.y.No") })
		} else {
			f.on("StartTransientUnit", nil)
		}
		g, err := p.Create()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := g.Paths["name=systemd"]; ok || len(left()) == 0 {
			t.Errorf("made %v, of which systemd's group is not ours: %v", left(), g.Paths)
		}
		err = p.Start(g, 1)
		if (err != nil) != refuse || (g.Unit != nil) == refuse {
			t.Errorf("refused %v: %v, unit %v", refuse, err, g.Unit)
		}
		if err := g.Delete(); err != nil {
			t.Error(err)
		}
		if list := left(); refuse && len(list) > 0 {
			t.Errorf("left behind: %v", list)
		}
	}
	for _, dir := range left() {
		_ = removeDir(dir)
	}
}
