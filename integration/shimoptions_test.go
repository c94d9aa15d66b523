package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go/features"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// refused makes a container with these options, which must be an error that has the word.
func (s *shimDirect) refused(options *wire.Any, word string) {
	s.t.Helper()
	err := s.call("Create", func(e *wire.Encoder) {
		e.String(1, s.id)
		e.String(2, s.bundle.Dir)
		e.Message(10, options)
	}, nil)
	if err == nil || !strings.Contains(err.Error(), word) {
		s.t.Errorf("%+v: got %v, want %s", options, err, word)
	}
}

// TestShimOptions refuses what cannot be had, and says it in the words of the caller.
func TestShimOptions(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.refused(packOptions(&api.Options{BinaryName: "no-runc"}), `"no-runc"`)
	s.refused(packOptions(&api.Options{CriuPath: "opt/criu"}), `CriuPath "opt/criu"`)
	s.refused(packOptions(&api.Options{TaskAPIVersion: 9}), "TaskApiVersion 9")
	s.refused(wire.Pack("containerd.runc.v1.Options", wire.Func(func(e *wire.Encoder) { e.Bool(77, true) })), "unknown field 77")
	s.refused(wire.Pack("containerd.runhcs.v1.Options", nil), "containerd.runhcs.v1.Options")
	s.expect()
	s.startup.options = &api.Options{BinaryName: "/usr/local/sbin/runtime", TaskAPIAddress: "unix://" + s.socket, TaskAPIVersion: 3}
	s.create("")
	s.expect("create")
}

// TestShimOptionsOfStart has options that concern the shim itself.
func TestShimOptionsOfStart(t *testing.T) {
	s := newShimDirect(t, sleeps)
	for word, o := range map[string]*wire.Any{
		"TaskApiAddress unix:///x": packOptions(&api.Options{TaskAPIAddress: "unix:///x"}),
		"unknown field 77":         wire.Pack("containerd.runc.v1.Options", wire.Func(func(e *wire.Encoder) { e.Bool(77, true) })),
	} {
		cmd := s.shimCommand("start")
		cmd.Stdin = bytes.NewReader(wire.Marshal(o))
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), word) {
			t.Errorf("got %v: %s, want %s", err, out, word)
		}
	}
}

// printed has the container write into a file, and returns what it has written by its end.
func (s *shimDirect) printed() string {
	s.t.Helper()
	path := filepath.Join(s.bundle.Dir, "out")
	s.create("file://" + path)
	s.must("Start", s.target(""))
	if got := s.wait(""); got != 0 {
		s.t.Errorf("exit status %d", got)
	}
	s.must("Delete", s.target(""))
	return readFile(s.t, path)
}

// TestShimIoOwner has the streams belong to the container's user, who may open them again.
func TestShimIoOwner(t *testing.T) {
	s := newShimDirectWith(t, startup{options: &api.Options{IoUID: 1000, IoGID: 1001}}, func(b *Bundle) {
		b.Spec.Process.User.UID, b.Spec.Process.User.GID = 1000, 1001
		b.Spec.Process.Args = []string{"sh", "-c", "for fd in 0 1 2; do stat -Lc %u:%g /proc/self/fd/$fd; done; echo again >/proc/self/fd/1; cat; sleep 1000"}
	})
	c := s.withFifos()
	c.typed("from the client\n")
	if got, want := c.until("from the client\n"), strings.Repeat("1000:1001\n", 3)+"again\nfrom the client\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var st unix.Stat_t
	if err := unix.Stat(c.path("in"), &st); err != nil || st.Uid != 0 {
		t.Errorf("the client's fifo belongs to %d, %v", st.Uid, err)
	}
}

// TestShimCgroup puts the shim, and not its container, into a control group.
func TestShimCgroup(t *testing.T) {
	group := "/" + fmt.Sprintf("dhowtest-%d-%d-shim", os.Getpid(), idCounter.Add(1))
	t.Cleanup(func() {
		for _, found := range cgroupsOf(group[1:]) {
			_ = unix.Rmdir(strings.TrimPrefix(found, "cgroup "))
		}
	})
	s := newShimDirectWith(t, startup{options: &api.Options{ShimCgroup: group}}, sleeps)
	s.create("")
	shim, init := s.pids()
	if text := readFile(t, fmt.Sprintf("/proc/%d/cgroup", shim)); !strings.Contains(text, ":"+group) {
		t.Errorf("the shim is in %s", text)
	}
	if text := readFile(t, fmt.Sprintf("/proc/%d/cgroup", init)); strings.Contains(text, group) || !strings.Contains(text, s.namespace) {
		t.Errorf("the container is in %s", text)
	}
}

// pids are those of the shim and of the container's init, as Connect tells them.
func (s *shimDirect) pids() (shim, init int) {
	s.t.Helper()
	must(s.t, s.call("Connect", s.target(""), func(n int, v wire.Value) error {
		switch n {
		case 1:
			shim = int(v.Uint)
		case 2:
			init = int(v.Uint)
		}
		return nil
	}))
	return shim, init
}

// TestShimRoot has the runtime's state where the options say, and `delete` find it there.
func TestShimRoot(t *testing.T) {
	root := t.TempDir()
	s := newShimDirectWith(t, startup{options: &api.Options{Root: root}}, sleeps)
	s.create("")
	state := filepath.Join(root, s.namespace, s.id)
	if !exists(state) {
		t.Errorf("no %s", state)
	}
	shim, init := s.pids()
	must(t, unix.Kill(shim, unix.SIGKILL))
	await(t, "the shim's end", func() bool { return ended(shim) })
	s.shim("delete")
	if exists(state) || !ended(init) {
		t.Error("delete has not found it")
	}
}

// TestShimSystemdCgroup asks for a unit of systemd's, which does not run on most of our machines.
func TestShimSystemdCgroup(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.bundle.Spec.Linux.CgroupsPath = ":dhow:" + s.namespace
	must(t, s.bundle.Save())
	if !exists("/run/systemd/system") {
		s.refused(packOptions(&api.Options{SystemdCgroup: true}), "systemd")
		return
	}
	s.startup.options = &api.Options{SystemdCgroup: true}
	s.create("")
	_, init := s.pids()
	if text := readFile(t, fmt.Sprintf("/proc/%d/cgroup", init)); !strings.Contains(text, "/dhow-"+s.namespace+".scope") {
		t.Errorf("the container is in %s", text)
	}
}

// TestShimKeyring has a session keyring of the container's own, or none.
func TestShimKeyring(t *testing.T) {
	for _, none := range []bool{false, true} {
		t.Run(fmt.Sprint(none), func(t *testing.T) {
			id := fmt.Sprintf("keyring%d-%d", os.Getpid(), idCounter.Add(1)) // /proc/keys has those of all containers
			s := newShimDirectWith(t, startup{id: id, options: &api.Options{NoNewKeyring: none}}, func(b *Bundle) {
				b.Spec.Process.Args = []string{"cat", "/proc/keys"}
				b.Spec.Linux.MaskedPaths = nil
			})
			if keys := s.printed(); strings.Contains(keys, "_ses."+s.id) == none {
				t.Errorf("NoNewKeyring %v: %s", none, keys)
			}
		})
	}
}

// TestShimNoPivot leaves the host's mounts in the container's mount namespace, below its own.
func TestShimNoPivot(t *testing.T) {
	for _, none := range []bool{false, true} {
		t.Run(fmt.Sprint(none), func(t *testing.T) {
			s := newShimDirectWith(t, startup{options: &api.Options{NoPivotRoot: none}}, sleeps)
			s.create("")
			s.must("Start", s.target(""))
			_, init := s.pids()
			enter := []string{"-m", "-t", fmt.Sprint(init), "/bin/busybox"}
			_ = exec.Command("nsenter", append(enter, "umount", "-l", "/")...).Run() // what is below the container's root comes to light
			err := exec.Command("nsenter", append(enter, "stat", s.bundle.Dir)...).Run()
			if (err == nil) != none {
				t.Errorf("NoPivotRoot %v, the host's files are below the container's: %v", none, err == nil)
			}
		})
	}
}

// TestShimUserNamespace has a container in a user namespace, with an exec, whose streams are the client's.
func TestShimUserNamespace(t *testing.T) {
	s := newShimDirect(t, MappedUser, func(b *Bundle) {
		b.Spec.Process.Args = []string{"sh", "-c", "id -u; cat /proc/self/uid_map; read x; touch /mine; echo got $x; sleep 1000"}
	})
	c := s.withFifos()
	c.typed("words\n")
	if got := strings.Fields(c.until("got words\n")); !slices.Equal(got, []string{"0", "0", "100000", "65536", "got", "words"}) {
		t.Errorf("got %q", got)
	}
	s.exec("e", "sh", "-c", "test -f /mine && echo hello >/proc/self/fd/1; exit 6")
	s.must("Start", s.target("e"))
	if got := s.wait("e"); got != 6 {
		t.Errorf("exit status %d of the exec", got)
	}
	var st unix.Stat_t
	if err := unix.Stat(s.bundle.Rootfs()+"/mine", &st); err != nil || st.Uid != 100000 {
		t.Errorf("the file belongs to %d, %v", st.Uid, err)
	}
}

// TestShimInfo asks for what the runtime is, and for the version.
func TestShimInfo(t *testing.T) {
	onlyDhow(t, "the shim is ours")
	t.Parallel()
	shim := filepath.Join(filepath.Dir(underTest.runtime), "containerd-shim-dhow-v2")
	out, err := exec.Command(shim, "-info").Output()
	must(t, err)
	name := ""
	var offered features.Features
	must(t, wire.Fields(out, func(n int, v wire.Value) error {
		switch n {
		case 1:
			name = v.String()
		case 4:
			var a wire.Any
			must(t, wire.Unmarshal(v.Bytes, &a))
			return json.Unmarshal(a.Value, &offered)
		}
		return nil
	}))
	if l := offered.Linux; l == nil || l.MountExtensions == nil || !*l.MountExtensions.IDMap.Enabled || !slices.Contains(offered.MountOptions, "rro") {
		t.Errorf("features %+v", offered)
	}
	if name != ShimRuntime {
		t.Errorf("name %q", name)
	}
	if out, err := exec.Command(shim, "-v").Output(); err != nil || !strings.HasPrefix(string(out), "containerd-shim-dhow-v2 ") {
		t.Errorf("%q %v", out, err)
	}
	for _, args := range [][]string{{"start"}, {"-namespace", "n", "start"}, {"-namespace", "n", "-id", "i", "dance"}, {"-what"}} {
		if out, err := exec.Command(shim, args...).CombinedOutput(); err == nil {
			t.Errorf("%v: %q", args, out)
		}
	}
}

// TestShimBinaryName has another runtime's containers, and cleans up after one when the shim is killed.
func TestShimBinaryName(t *testing.T) {
	runc := needProgram(t, "runc")
	root := t.TempDir()
	s := newShimDirectWith(t, startup{options: &api.Options{BinaryName: runc, Root: root}}, sleeps)
	state := filepath.Join(root, s.namespace, s.id)
	s.create("")
	if _, err := os.Stat(state); err != nil {
		t.Error(err)
	}
	s.must("Start", s.target(""))
	s.exec("e", "sh", "-c", "exit 6")
	s.must("Start", s.target("e"))
	if status := s.wait("e"); status != 6 {
		t.Errorf("the exec: status %d", status)
	}
	s.must("Delete", s.target("e"))
	s.fails("Checkpoint", s.target(""), ttrpc.Unimplemented)
	s.must("Kill", s.kill("", unix.SIGKILL))
	if status := s.wait(""); status != 137 {
		t.Errorf("the container: status %d", status)
	}
	s.must("Delete", s.target(""))
	s.expect("create", "start", "exec-added:e", "exec-started:e", "exit:e=6", "exit=137", "delete")
	s.create("")
	shim, init := s.pids()
	must(t, unix.Kill(shim, unix.SIGKILL))
	await(t, "the shim's end", func() bool { return ended(shim) })
	s.shim("delete")
	await(t, "the container's end", func() bool { return ended(init) })
	if _, err := os.Stat(state); err == nil {
		t.Error("the runtime's state is still there")
	}
}
