package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// counting starts a container that writes to a file without end, and returns the file.
func counting(t *testing.T) (r *cli, id, log string) {
	t.Helper()
	r = newCLI(t)
	out := t.TempDir()
	log = filepath.Join(out, "log")
	id = r.Started(newBundle(t, withProbe, Shell("while :; do echo >> /out/log; done"), Bind(out, "/out")))
	awaitGrowth(t, log, 0)
	return r, id, log
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func awaitGrowth(t *testing.T, path string, from int64) {
	t.Helper()
	await(t, "the container to count", func() bool { return sizeOf(path) > from })
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	r, id, log := counting(t)
	for range 2 {
		r.Must("pause", id)
		before := sizeOf(log)
		if s := r.State(id); s.Status != "paused" || s.Pid <= 0 {
			t.Errorf("state: %+v", s)
		}
		if list := r.Must("list").Stdout; !strings.Contains(list, "paused") {
			t.Errorf("list:\n%s", list)
		}
		r.Do("exec", id, "true").Failed("paused").Exited(255)
		r.Do("pause", id).Failed("not running").Exited(1)
		r.Do("start", id).Failed().Exited(1)
		r.Do("delete", id).Failed("paused").Exited(1)
		if after := sizeOf(log); after != before {
			t.Errorf("the paused container went on from %d to %d", before, after)
		}
		r.Must("resume", id)
		if s := r.State(id); s.Status != "running" {
			t.Errorf("after resume: %+v", s)
		}
		awaitGrowth(t, log, before)
		r.Do("resume", id).Failed("not paused").Exited(1)
	}
}

// A run that waits in the foreground does not keep the container's lock.
func TestPauseOfAForegroundRun(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	out := t.TempDir()
	id := r.ID()
	cmd := r.Command("run", "--bundle", newBundle(t, Shell("touch /out/ready; sleep 1000"), Bind(out, "/out")).Dir, id)
	must(t, cmd.Start())
	await(t, "the container", func() bool { return exists(filepath.Join(out, "ready")) })
	r.Must("pause", id)
	r.Must("resume", id)
	r.Must("pause", id)
	r.Must("kill", id, "KILL")
	_ = cmd.Wait()
	if code := exitCode(cmd.ProcessState); code != 137 {
		t.Errorf("run ended with %d", code)
	}
}

// All processes of the container stand still, whoever started them.
func TestPauseStopsExecs(t *testing.T) {
	t.Parallel()
	r, id, _ := counting(t)
	file := filepath.Join(r.Root, "log")
	out, err := os.Create(file)
	must(t, err)
	defer out.Close()
	cmd := r.Command("exec", id, "sh", "-c", "while :; do echo; done")
	cmd.Stdout = out
	must(t, cmd.Start())
	awaitGrowth(t, file, 0)
	r.Must("pause", id)
	before := sizeOf(file)
	r.State(id)
	if after := sizeOf(file); after != before {
		t.Errorf("the paused exec went on from %d to %d", before, after)
	}
	r.Must("kill", "--all", id, "KILL")
	r.AwaitStatus(id, "stopped")
	_ = cmd.Wait()
	if code := exitCode(cmd.ProcessState); code != 137 {
		t.Errorf("exec ended with %d", code)
	}
}

func TestPauseOfTheWrongContainer(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for _, verb := range []string{"pause", "resume"} {
		r.Do(verb, "dhowtest-absent").Failed("does not exist").Exited(1)
	}
	id := r.Create(newBundle(t))
	r.Do("resume", id).Failed("not paused")
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Do("pause", id).Failed("not running")
	r.Do("resume", id).Failed("not paused")
}

func TestPauseOfACreatedContainer(t *testing.T) {
	onlyDhow(t, "it pauses a created container too")
	t.Parallel()
	r := newCLI(t)
	id := r.Create(newBundle(t))
	r.Do("pause", id).Failed("not running", "created").Exited(1)
	r.Must("start", id)
}

func TestExecIgnoresPaused(t *testing.T) {
	t.Parallel()
	r, id, _ := counting(t)
	r.Must("pause", id)
	cmd := r.Command("exec", "--ignore-paused", id, "sh", "-c", "exit 3")
	must(t, cmd.Start())
	await(t, "the second process", func() bool { return len(r.processes(id)) > 1 })
	r.Must("resume", id)
	_ = cmd.Wait()
	if code := exitCode(cmd.ProcessState); code != 3 {
		t.Errorf("exec ended with %d", code)
	}
}

func TestKillOfAPausedContainer(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"--all"}} {
		r, id, _ := counting(t)
		r.Must("pause", id)
		r.Must(append([]string{"kill"}, append(args, id, "KILL")...)...)
		r.AwaitStatus(id, "stopped")
		r.Must("delete", id)
	}
}

func TestDeleteForceOfAPausedContainer(t *testing.T) {
	t.Parallel()
	r, id, _ := counting(t)
	pid := r.State(id).Pid
	r.Must("pause", id)
	r.Must("delete", "--force", id)
	await(t, "init to end", func() bool { return ended(pid) })
}

func TestUnifiedPause(t *testing.T) {
	if !unified(t) {
		return
	}
	r, id, log := counting(t)
	r.Must("pause", id)
	before := sizeOf(log)
	events := readFile(t, filepath.Join("/sys/fs/cgroup", groupOf(t, r.State(id).Pid), "cgroup.events"))
	if !strings.Contains(events, "frozen 1") || r.State(id).Status != "paused" || sizeOf(log) != before {
		t.Errorf("after pause: %s", events)
	}
	r.Must("resume", id)
	awaitGrowth(t, log, before)
	r.Must("pause", id)
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
}
