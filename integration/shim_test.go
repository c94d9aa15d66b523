package integration

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"
)

func TestShimRun(t *testing.T) {
	h := newShimHost(t)
	h.run([]string{"--rm"}, "a", "echo", "hello").Exited(0).Printed("hello")
	if res := h.run([]string{"--rm"}, "b", "sh", "-c", "echo problem >&2; exit 7").Exited(7); res.Stderr != "problem\n" {
		t.Errorf("stderr %q", res.Stderr)
	}
	h.run([]string{"--rm"}, "c", "no-such-program").Exited(1).Failed("no-such-program", "executable file not found")
	h.do("containers", "rm", "c")
	cmd := h.runCommand([]string{"--rm"}, "d", "sh", "-c", "cat; echo end")
	cmd.Stdin = strings.NewReader("from a client\n")
	h.doCommand(cmd).Exited(0).Printed("from a client\nend")
	h.run([]string{"--rm"}, "e", "sh", "-c", "sleep 1000 & exit 3").Exited(3)
}

// TestShimOutput has more than all buffers hold.
func TestShimOutput(t *testing.T) {
	h := newShimHost(t)
	cmd := h.runCommand([]string{"--rm"}, "a", "sh", "-c", "dd if=/dev/zero bs=64k count=800 2>/dev/null")
	var out bytes.Buffer
	cmd.Stdout = &out
	h.doCommand(cmd).Exited(0)
	if out.Len() != 800*64<<10 {
		t.Errorf("%d bytes", out.Len())
	}
}

func TestShimExec(t *testing.T) {
	h := newShimHost(t)
	h.detached("a")
	h.do("tasks", "exec", "--exec-id", "e1", "a", "sh", "-c", "echo inside; exit 5").Exited(5).Printed("inside")
	h.do("tasks", "exec", "--exec-id", "e2", "a", "no-such-program").Exited(1).Failed("executable file not found")
	h.do("tasks", "exec", "-d", "--exec-id", "e3", "a", "sleep", "1000").Exited(0)
	if out := h.do("tasks", "ps", "a").Stdout; !strings.Contains(out, "e3") {
		t.Errorf("the exec is not in the list of processes: %q", out)
	}
	h.do("tasks", "kill", "--exec-id", "e3", "-s", "KILL", "a").Exited(0)
	h.do("tasks", "kill", "-s", "KILL", "a").Exited(0)
	await(t, "the end", func() bool { return h.status("a") == "STOPPED" })
	h.do("tasks", "exec", "--exec-id", "e4", "a", "true").Exited(1)
	if res := h.do("tasks", "rm", "a"); res.Code != 137 && res.Code != 0 {
		t.Errorf("exit code %d", res.Code)
	}
}

func TestShimPause(t *testing.T) {
	h := newShimHost(t)
	h.detached("a", "--memory-limit", "67108864")
	if out, word := h.do("tasks", "metrics", "a").Exited(0).Stdout, "memory.limit_in_bytes    67108864"; !strings.Contains(out, word) {
		t.Errorf("no %q in %q", word, out)
	}
	await(t, "one process", func() bool {
		return strings.Contains(h.do("tasks", "metrics", "a").Exited(0).Stdout, "pids.current             1")
	})
	h.do("tasks", "pause", "a").Exited(0)
	if got := h.status("a"); got != "PAUSED" {
		t.Errorf("status %s", got)
	}
	h.do("tasks", "resume", "a").Exited(0)
	if got := h.status("a"); got != "RUNNING" {
		t.Errorf("status %s", got)
	}
}

// TestShimTerminal uses a terminal, with its size, as a person does.
func TestShimTerminal(t *testing.T) {
	h := newShimHost(t)
	cmd := h.runCommand([]string{"--rm", "-t"}, "a", "sh", "-c", "until stty size | grep '22 77'; do sleep 0.05; done; tty; read x; echo got $x; exit 4")
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 22, Cols: 77})
	must(t, err)
	defer master.Close()
	var out bytes.Buffer
	done := make(chan struct{})
	go func() { defer close(done); out.ReadFrom(master) }()
	await(t, "the task", func() bool { return h.status("a") == "RUNNING" })
	_, err = master.WriteString("words\n")
	must(t, err)
	err = cmd.Wait()
	<-done
	if code := exitCode(cmd.ProcessState); code != 4 {
		t.Errorf("exit code %d, %v", code, err)
	}
	for _, want := range []string{"22 77", "/dev/pts/0", "got words"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %q", want, out.String())
		}
	}
}

func TestShimParallel(t *testing.T) {
	h := newShimHost(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			id := fmt.Sprint("p", i)
			out, err := h.runCommand([]string{"--rm"}, id, "echo", id).CombinedOutput()
			if err != nil || string(out) != id+"\n" {
				t.Errorf("%s: %q, %v", id, out, err)
			}
		})
	}
	wg.Wait()
}

func TestShimEvents(t *testing.T) {
	h := newShimHost(t)
	events := h.events()
	h.detached("a")
	h.do("tasks", "exec", "--exec-id", "e", "a", "true").Exited(0)
	h.do("tasks", "pause", "a").Exited(0)
	h.do("tasks", "resume", "a").Exited(0)
	h.do("tasks", "rm", "-f", "a")
	want := "create start exec-added exec-started exit paused resumed exit delete"
	await(t, "the events", func() bool { return strings.Contains(events(), "/tasks/delete") })
	if got := strings.Join(topics(events()), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestShimOfAPod has two containers of a Kubernetes pod in one shim.
func TestShimOfAPod(t *testing.T) {
	h := newShimHost(t)
	pod := []string{"--annotation", "io.kubernetes.cri.sandbox-id=a"}
	h.detached("a", pod...)
	ns := fmt.Sprintf("pid:/proc/%d/ns/pid", h.pid("a"))
	h.detached("b", slices.Concat(pod, []string{"--with-ns", ns})...)
	h.detached("c")
	if n := len(h.shims()); n != 2 {
		t.Errorf("%d shims, want one for the pod and one for c", n)
	}
	h.do("tasks", "rm", "-f", "b")
	h.do("containers", "rm", "b").Exited(0)
	if got := h.status("a"); got != "RUNNING" {
		t.Errorf("a is %s after b is gone", got)
	}
	h.do("tasks", "exec", "--exec-id", "e", "a", "echo", "alive").Exited(0).Printed("alive")
}

// TestShimManyContainers has many alive at a time, and then none: newShimHost checks that nothing is left of them.
func TestShimManyContainers(t *testing.T) {
	h := newShimHost(t)
	n := 20
	if soaking() {
		n = 300
	}
	each := func(f func(id string)) {
		var wg sync.WaitGroup
		turns := make(chan struct{}, 10)
		for i := range n {
			turns <- struct{}{}
			wg.Go(func() { f(fmt.Sprint("m", i)); <-turns })
		}
		wg.Wait()
	}
	each(func(id string) {
		if out, err := h.runCommand([]string{"-d", "--null-io"}, id, "sleep", "1000").CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", id, err, out)
		}
	})
	if got := strings.Count(h.do("tasks", "ls").Stdout, "RUNNING"); got != n {
		t.Errorf("%d run, want %d", got, n)
	}
	each(func(id string) {
		_ = h.Ctr("tasks", "rm", "-f", id).Run() // its exit code is the container's
		if out, err := h.Ctr("containers", "rm", id).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", id, err, out)
		}
	})
}
