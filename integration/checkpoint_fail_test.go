package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCheckpointErrors(t *testing.T) {
	onlyDhow(t, "holds our messages")
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.Do("checkpoint", "--image-path", s.images, "--parent-path", "/abs", s.id).Failed("--parent-path").Exited(1)
	s.Do("checkpoint", "--image-path", s.images, "--parent-path", "../none", s.id).Failed("--parent-path", "none").Exited(1)
	s.Do("checkpoint", "--image-path", s.images, "--page-server", "host", s.id).Failed("--page-server").Exited(1)
	s.Do("checkpoint", "--image-path", s.images, "--manage-cgroups-mode", "odd", s.id).Failed("--manage-cgroups-mode").Exited(1)
	s.Do("checkpoint", "--image-path", s.images, "--status-fd", "1", s.id).Failed("--lazy-pages").Exited(1)
	s.Do("checkpoint", "--image-path", "/proc/none", s.id).Failed("--image-path").Exited(1)
	s.Do("checkpoint", "--image-path", s.images, "no-such-id").Failed("does not exist").Exited(1)

	missing := *s.cli
	missing.Env = append(os.Environ(), "PATH=/nowhere")
	missing.Do("checkpoint", "--image-path", s.images, s.id).Failed("criu", "$PATH").Exited(1)
	missing.Do("restore", "--image-path", s.images, "--bundle", s.b.Dir, "other").Failed("criu", "$PATH").Exited(1)

	s.checkpoint("--leave-running").Exited(0)
	id := s.Create(newBundle(t))
	s.Do("checkpoint", "--image-path", s.images, id).Failed("not running").Exited(1)
	s.Do("restore", "--image-path", s.images, "--bundle", s.b.Dir, id).Failed("already exists").Exited(1)
	s.goesOn()
}

// A failed restore says why in criu's words, and leaves nothing.
func TestRestoreFails(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint().Exited(0)
	call := func(images string) *result {
		return s.Detached("restore", "-d", "--image-path", images, "--bundle", s.b.Dir, s.id)
	}
	empty := t.TempDir()
	call(empty).Failed().Exited(1)
	s.gone()
	if underTest.kind == Dhow {
		call(empty).Failed("--image-path", "no checkpoint in")
	}
	core := filepath.Join(s.images, "pstree.img")
	kept, err := os.ReadFile(core)
	must(t, err)
	must(t, os.WriteFile(core, nil, 0o600))
	call(s.images).Failed().Exited(1)
	if underTest.kind == Dhow {
		call(s.images).Failed("cannot restore", "Unexpected EOF", filepath.Join(s.images, "restore.log"))
	}
	s.gone()
	must(t, os.WriteFile(core, kept, 0o600))
	// Processes are restored up to the point where a hook fails.
	config := readFile(t, filepath.Join(s.b.Dir, "config.json"))
	hooked := strings.Replace(config, "{", `{"hooks":{"createRuntime":[{"path":"/bin/false"}]},`, 1)
	must(t, os.WriteFile(filepath.Join(s.b.Dir, "config.json"), []byte(hooked), 0o644))
	call(s.images).Failed("createRuntime").Exited(1)
	s.gone()
	// A bind without a source.
	must(t, os.WriteFile(filepath.Join(s.b.Dir, "config.json"), []byte(strings.ReplaceAll(config, s.out, "/no/such/source")), 0o644))
	call(s.images).Failed("/no/such/source").Exited(1)
	s.gone()
	must(t, os.WriteFile(filepath.Join(s.b.Dir, "config.json"), []byte(config), 0o644))
	s.restore().Exited(0)
	s.goesOn()
}

// A process that is killed while it is restored fails the restore. Image files without the pages keep it busy until then.
func TestRestoreOfAKilledProcess(t *testing.T) {
	onlyDhow(t, "holds our messages")
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint().Exited(0)
	must(t, os.Truncate(filepath.Join(s.images, "pages-1.img"), 0))
	cmd := s.Command("restore", "--detach", "--image-path", s.images, "--bundle", s.b.Dir, s.id)
	var out strings.Builder
	cmd.Stderr = &out
	must(t, cmd.Start())
	restored := 0
	await(t, "the restored process", func() bool {
		for _, child := range childrenOf(cmd.Process.Pid) {
			status, err := os.ReadFile("/proc/" + itoa(child) + "/status")
			if _, after, found := strings.Cut(string(status), "NSpid:"); err == nil && found {
				line, _, _ := strings.Cut(after, "\n")
				if len(strings.Fields(line)) == 2 {
					restored = child
				}
			}
		}
		return restored != 0
	})
	must(t, unix.Kill(restored, unix.SIGKILL))
	if err := cmd.Wait(); err == nil || !strings.Contains(out.String(), "cannot restore") {
		t.Errorf("%v: %s", err, out.String())
	}
	s.gone()
}

// criu forgets that the process has been killed when that happens between two stages, as here in a hook: it would wait for it for ever.
func TestRestoreOfAProcessThatAHookKills(t *testing.T) {
	onlyDhow(t, "waits for ever")
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint().Exited(0)
	config := filepath.Join(s.b.Dir, "config.json")
	kept := readFile(t, config)
	hook := `{"hooks":{"createRuntime":[{"path":"/bin/sh","args":["sh","-c","` + pidOfState + ` && kill -KILL $pid"]}]},`
	must(t, os.WriteFile(config, []byte(strings.Replace(kept, "{", hook, 1)), 0o644))
	s.Detached("restore", "--detach", "--image-path", s.images, "--bundle", s.b.Dir, s.id).
		Failed("cannot restore container", "the restored process was killed by signal 9", "while criu restored it", "restore.log").Exited(1)
	s.gone()
	must(t, os.WriteFile(config, []byte(kept), 0o644))
	s.restore().Exited(0)
	s.goesOn()
}

// pidOfState is shell, as a string of JSON, that finds the pid in the state which a hook gets.
const pidOfState = `pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/')`

// When criu is killed, what it was restoring is ended.
func TestRestoreOfAKilledCriu(t *testing.T) {
	onlyDhow(t, "holds our messages")
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint().Exited(0)
	config := filepath.Join(s.b.Dir, "config.json")
	kept := readFile(t, config)
	// criu is the third of the runtime's children, beside the restored process and the hook.
	hook := `{"hooks":{"createRuntime":[{"path":"/bin/sh","args":["sh","-c","` + pidOfState +
		` && for c in $(cat /proc/$PPID/task/*/children); do [ $c = $$ ] || [ $c = $pid ] || kill -KILL $c; done"]}]},`
	must(t, os.WriteFile(config, []byte(strings.Replace(kept, "{", hook, 1)), 0o644))
	s.Detached("restore", "--detach", "--image-path", s.images, "--bundle", s.b.Dir, s.id).Failed("cannot restore container", "criu", "killed").Exited(1)
	s.gone()
	must(t, os.WriteFile(config, []byte(kept), 0o644))
	s.restore().Exited(0)
	s.goesOn()
}

// gone checks that a failed restore has left nothing.
func (s *saved) gone() {
	s.t.Helper()
	s.Do("state", s.id).Failed("does not exist")
	checkGone(s.t, s.id)
}

// childrenOf lists the children of all threads of a process.
func childrenOf(pid int) (list []int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		text, _ := os.ReadFile(file) // a thread may have ended
		for _, child := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(child); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

// --pre-dump needs a kernel that tracks changed memory, and says so elsewhere.
func TestCheckpointPreDump(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	parent := filepath.Join(filepath.Dir(s.images), "parent")
	res := s.Do("checkpoint", "--pre-dump", "--image-path", parent, s.id)
	s.awaitNumbers(3) // in both cases
	if strings.Contains(res.Stderr, "SOFT_DIRTY") || strings.Contains(res.Stderr, "MemTrack") {
		skip(t, "the kernel has no CONFIG_MEM_SOFT_DIRTY")
	}
	res.Exited(0)
	s.checkpoint("--parent-path", "../parent").Exited(0)
	s.restore().Exited(0)
	s.goesOn()
}

// Wherever a restore is killed, `delete --force` removes what there is, and the images are still good.
func TestKillRestoreAtItsFailpoints(t *testing.T) {
	t.Parallel()
	path := failpointRuntime(t)
	s := newSaved(t, []string{"count"})
	s.checkpoint().Exited(0)
	for _, name := range []string{"criu", "namespaces", "record", "restored"} {
		killed := *s.cli
		killed.Path = path
		killed.Env = append(killed.Env[:len(killed.Env):len(killed.Env)], "DHOW_FAILPOINT=parent:"+name)
		killed.Detached("restore", "-d", "--image-path", s.images, "--bundle", s.b.Dir, s.id).Exited(137)
		s.Must("delete", "--force", s.id)
		checkGone(t, s.id)
		if !exists(filepath.Join(s.b.Rootfs(), "bin/busybox")) { // runc 1.5 mounts it below its state, and removes it with that
			t.Fatal("the container's root file system is gone")
		}
	}
	must(t, os.Remove(filepath.Join(s.out, "log")))
	s.restore().Exited(0)
	s.awaitNumbers(3)
}
