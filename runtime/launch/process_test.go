package launch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// meet starts p, runs look at its first rendezvous and follows it to its end, which must be exit code 0.
func meet(t *testing.T, p *plan.Program, o Options, look func(proc *Process, r *Request)) {
	t.Helper()
	proc := start(t, p, o)
	defer proc.Forget()
	met := false
	err := proc.Serve(func(r *Request) (uint64, bool, error) {
		if !met {
			look(proc, r)
		}
		met = true
		return 0, false, nil
	})
	if code := wait(t, proc); err != nil || code != 0 || !met {
		t.Fatalf("it ends with %d, %v, met: %t", code, err, met)
	}
}

func proc(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }

func readlink(t *testing.T, path string) string {
	t.Helper()
	link, err := os.Readlink(path)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// TestImageSealed: while it waits, the process executes a memfd that nothing can change, and not the runtime's binary
// (security rule 6).
func TestImageSealed(t *testing.T) {
	meet(t, program(tell(imm(1)), exit(imm(0))), plain(), func(p *Process, _ *Request) {
		exe := proc(p.Pid, "exe")
		if got := readlink(t, exe); got != "/memfd:dhow-init (deleted)" {
			t.Errorf("/proc/PID/exe is %s", got)
		}
		fd, err := unix.Open(exe, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		const want = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
		if seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0); err != nil || seals&want != want {
			t.Errorf("the seals are %#x, %v", seals, err)
		}
		// The descriptor that it was executed from stays in the child until close_range; it, too, can change nothing.
		held := proc(p.Pid, "fd/4")
		if got := readlink(t, held); got != "/memfd:dhow-init (deleted)" {
			t.Fatalf("descriptor 4 is %s", got)
		}
		rw, err := unix.Open(held, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err == nil {
			defer unix.Close(rw)
			if _, err = unix.Pwrite(rw, []byte("x"), 0); err == nil {
				t.Error("the image can be written")
			}
		}
		maps, err := os.ReadFile(proc(p.Pid, "maps"))
		if err != nil {
			t.Fatal(err)
		}
		self := readlink(t, "/proc/self/exe")
		if strings.Contains(string(maps), self) || strings.Contains(string(maps), "rwx") {
			t.Errorf("the memory of the process:\n%s", maps)
		}
	})
}

// TestInherited: the child has stdio, the report channel, the image and the Program's files in their order, nothing else.
func TestInherited(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	p := program(tell(imm(1)), exit(imm(0)))
	p.Files = []plan.File{{Path: filepath.Join(dir, "a"), Flags: unix.O_RDONLY, FD: 5}, {Path: filepath.Join(dir, "b"), Flags: unix.O_WRONLY, FD: 6, Kind: plan.CgroupTask},
		{Kind: plan.Listener, FD: 7}, {Kind: plan.Pidfd, FD: 8}}
	o := plain()
	o.Dir, o.Stdio = dir, [3]uintptr{in.Fd(), out.Fd(), out.Fd()}
	o.Listener, o.Pidfd = int(in.Fd()), int(out.Fd())
	meet(t, p, o, func(p *Process, _ *Request) {
		reading, writing := readlink(t, fmt.Sprintf("/proc/self/fd/%d", in.Fd())), readlink(t, fmt.Sprintf("/proc/self/fd/%d", out.Fd()))
		want := []string{reading, writing, writing, "socket:", "/memfd:dhow-init (deleted)", filepath.Join(dir, "a"), filepath.Join(dir, "b"), reading, writing}
		names, err := os.ReadDir(proc(p.Pid, "fd"))
		if err != nil || len(names) != len(want) {
			t.Fatalf("it has %d descriptors, want %d; %v", len(names), len(want), err)
		}
		for i, w := range want {
			if got := readlink(t, proc(p.Pid, "fd/"+strconv.Itoa(i))); got != w && (w != "socket:" || !strings.HasPrefix(got, w)) {
				t.Errorf("descriptor %d is %s, want %s", i, got, w)
			}
		}
		if got := readlink(t, proc(p.Pid, "cwd")); got != dir {
			t.Errorf("it starts in %s, want %s", got, dir)
		}
		for file, want := range map[string]string{"environ": "", "cmdline": "dhow-init\x00"} {
			if got, err := os.ReadFile(proc(p.Pid, file)); err != nil || string(got) != want {
				t.Errorf("%s is %q, %v, want %q", file, got, err, want)
			}
		}
	})
}

const preservedEnv = "DHOW_LAUNCH_TEST_PRESERVED"

// TestPreserved runs itself again with descriptors 3 and 4 for the child to keep, as --preserve-fds 2 does.
func TestPreserved(t *testing.T) {
	if os.Getenv(preservedEnv) != "" {
		preserve(t)
		return
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestPreserved$", "-test.v")
	cmd.Env = append(os.Environ(), preservedEnv+"=1")
	cmd.ExtraFiles = []*os.File{r, w}
	if text, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(text), "--- PASS: TestPreserved") {
		t.Fatalf("%v\n%s", err, text)
	}
}

func preserve(t *testing.T) {
	want := []string{readlink(t, "/proc/self/fd/3"), readlink(t, "/proc/self/fd/4")}
	o := plain()
	o.Preserved = 2
	meet(t, program(tell(imm(1)), exit(imm(0))), o, func(p *Process, _ *Request) {
		var names []string
		list, err := os.ReadDir(proc(p.Pid, "fd"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			names = append(names, f.Name())
		}
		sort.Strings(names)
		if got := strings.Join(names, " "); got != "0 1 2 3 4 5 6" {
			t.Errorf("it has the descriptors %s", got)
		}
		for i, w := range want {
			if got := readlink(t, proc(p.Pid, "fd/"+strconv.Itoa(3+i))); got != w {
				t.Errorf("descriptor %d is %s, want %s", 3+i, got, w)
			}
		}
		if got := readlink(t, proc(p.Pid, "fd/5")); !strings.HasPrefix(got, "socket:") {
			t.Errorf("descriptor 5 is %s, not the report channel", got)
		}
	})
}

// TestRefork goes on in a second child of the test, made with CLONE_PARENT: it is followed, the first one reaped.
func TestRefork(t *testing.T) {
	for name, namespace := range map[string]uint64{"same pid namespace": 0, "new pid namespace": unix.CLONE_NEWPID} {
		t.Run(name, func(t *testing.T) {
			if namespace != 0 {
				needRoot(t)
			}
			p := start(t, program(
				tell(imm(1)),
				call(unix.SYS_UNSHARE, imm(namespace)),
				save(call(unix.SYS_CLONE, imm(unix.CLONE_PARENT|uint64(unix.SIGCHLD)), imm(0), imm(0), imm(0), imm(0)), 2),
				jump(op(plan.Compare, reg(2), imm(0)), 5, 4),
				exit(imm(3)),
				save(call(unix.SYS_GETPID), 3),
				tell(reg(3)),
				exit(imm(7)),
			), plain())
			defer p.Forget()
			first, pids := p.Pid, []int{}
			err := p.Serve(func(r *Request) (uint64, bool, error) {
				pids = append(pids, p.Pid)
				if len(pids) == 2 {
					inside := uint64(p.Pid)
					if namespace != 0 {
						inside = 1
					}
					if uint64(r.Code) != inside {
						t.Errorf("it sees itself as process %d, want %d", r.Code, inside)
					}
					if err := unix.PidfdSendSignal(p.Pidfd, 0, nil, 0); err != nil {
						t.Errorf("the pidfd is not that of the second process: %v", err)
					}
				}
				return 0, false, nil
			})
			if code := wait(t, p); err != nil || code != 7 {
				t.Errorf("it ends with %d, %v", code, err)
			}
			if len(pids) != 2 || pids[0] != first || pids[1] == first {
				t.Errorf("the processes were %v, the first %d", pids, first)
			}
			if err := unix.Kill(first, 0); err != unix.ESRCH {
				t.Errorf("the first process is still there: %v", err)
			}
		})
	}
}

func TestNamespaces(t *testing.T) {
	needRoot(t)
	p := program(save(call(unix.SYS_GETPID), 2), tell(reg(2)), exit(imm(0)))
	p.Clone = unix.CLONE_NEWUTS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC
	meet(t, p, plain(), func(p *Process, r *Request) {
		if r.Code != 1 {
			t.Errorf("it is process %d of its namespace", r.Code)
		}
		for _, name := range []string{"uts", "pid", "ipc", "net", "mnt"} {
			same := readlink(t, proc(p.Pid, "ns/"+name)) == readlink(t, "/proc/self/ns/"+name)
			if want := name == "net" || name == "mnt"; same != want {
				t.Errorf("%s: shared is %t", name, same)
			}
		}
	})
}

func TestStartErrors(t *testing.T) {
	needs := func(f plan.File) *plan.Program {
		p := program(exit(imm(0)))
		p.Files = []plan.File{{Path: "/dev/null"}, f}
		return p
	}
	in := plain()
	in.Dir = "/nonexistent"
	for name, c := range map[string]struct {
		p    *plan.Program
		o    Options
		want string
	}{
		"directory":      {program(exit(imm(0))), in, "cannot enter the root file system (root.path): stat /nonexistent: no such file"},
		"file":           {needs(plan.File{Path: "/nonexistent"}), plain(), "cannot open /nonexistent: no such file"},
		"file of config": {needs(plan.File{Path: "/nonexistent", Field: "mounts[0].source"}), plain(), `cannot open "/nonexistent" (mounts[0].source): no such file`},
		"tree":           {needs(plan.File{Kind: plan.OpenTree, Path: "/nonexistent"}), plain(), "cannot open /nonexistent: "},
		"no listener":    {needs(plan.File{Kind: plan.Listener, Path: "start.sock"}), plain(), "cannot open start.sock: bad file descriptor"},
		"unknown kind":   {needs(plan.File{Kind: 99, Path: "x"}), plain(), "internal error"},
	} {
		t.Run(name, func(t *testing.T) {
			before := descriptors(t)
			p, err := Start(c.p, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Start gives %v and the error %v, want %q", p, err, c.want)
			}
			if after := descriptors(t); after != before {
				t.Errorf("%d descriptors are open, %d were", after, before)
			}
		})
	}
}

// descriptors counts this process's.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestNothingLeft: a Process that was forgotten leaves no descriptor behind.
func TestNothingLeft(t *testing.T) {
	p := program(tell(imm(1)), exit(imm(0)))
	p.Files = []plan.File{{Path: "/dev/null", FD: 5}}
	run := func() { meet(t, p, plain(), func(*Process, *Request) {}) }
	run()
	before := descriptors(t)
	run()
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors are open, %d were", after, before)
	}
}

func TestExitCode(t *testing.T) {
	for ws, want := range map[unix.WaitStatus]int{0: 0, 7 << 8: 7, 255 << 8: 255, 9: 137, 15: 143, 11 | 0x80: 139} {
		if got := ExitCode(ws); got != want {
			t.Errorf("ExitCode(%#x) is %d, want %d", ws, got, want)
		}
	}
}
