package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"github.com/dhow-containers/dhow/runtime/internal/dbus"
)

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
	shorterWait(t, 500*time.Millisecond)
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
	f.said("SetUnitProperties(dhow-c1.scope true Slice=a.slice TasksMax=5)", "Ping()")
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
