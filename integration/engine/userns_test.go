package engine

import (
	"archive/tar"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// remapLines are for files of the host: a user of containers, with ids.
var remapLines = map[string]string{
	"passwd": "dockremap:x:990:990::/:/bin/false\n", "group": "dockremap:x:990:\n",
	"subuid": "dockremap:100000:65536\n", "subgid": "dockremap:200000:65536\n",
}

// withRemapUser gives the host the user dockremap for as long as the test runs: files are mounted on those in /etc, in
// the mount namespace of these tests.
func withRemapUser(t *testing.T) {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	for name, line := range remapLines {
		place, file := "/etc/"+name, filepath.Join(dir, name)
		text, err := os.ReadFile(place)
		if errors.Is(err, fs.ErrNotExist) { // as subuid and subgid may be
			t.Cleanup(func() { os.Remove(place) })
			err = os.WriteFile(place, nil, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(text, line...), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount(file, place, "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := unix.Unmount(place, unix.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestUsernsRemap has containers with ids of their own: their processes, the files of their images, their volumes.
func TestUsernsRemap(t *testing.T) {
	withRemapUser(t)
	d := newDaemon(t, "--userns-remap", "default")
	d.load(t)
	if got := d.must(t, "info", "-f", "{{.SecurityOptions}} {{.DockerRootDir}}"); !strings.Contains(got, "name=userns") || !strings.HasSuffix(got, "/100000.200000") {
		t.Errorf("info: %s", got)
	}
	d.must(t, "run", "-d", "--name", "one", "-v", "data:/data", "busybox", "sh", "-c", "echo x > /data/f; echo y > /made; chown 33:44 /made; mv /made /new; exec sleep 1000")
	pid := d.state(t, "one", "{{.State.Pid}}")
	for file, want := range map[string]string{"uid_map": "0 100000 65536", "gid_map": "0 200000 65536"} {
		if text, err := os.ReadFile("/proc/" + pid + "/" + file); err != nil || strings.Join(strings.Fields(string(text)), " ") != want {
			t.Errorf("%s: %q, %v", file, text, err)
		}
	}
	await(t, "the files", func() bool { return d.docker.Run(nil, "exec", "one", "test", "-s", "/new").Code == 0 })
	owned(t, d.must(t, "volume", "inspect", "-f", "{{.Mountpoint}}", "data")+"/f", 100000, 200000)
	owned(t, fmt.Sprintf("/proc/%s/root/bin/busybox", pid), 100000, 200000)
	owned(t, fmt.Sprintf("/proc/%s/root/new", pid), 100033, 200044)
	d.wants(t, "0 0", 0, "exec", "one", "stat", "-c", "%u %g", "/bin/busybox")
	d.wants(t, "0 0", 0, "exec", "one", "stat", "-c", "%u %g", "/etc/hosts")
	d.wants(t, "out", 0, "run", "--rm", "-u", "www", "busybox", "sh", "-c", "echo out > /dev/stdout")
	d.wants(t, "0 100000 65536", 0, "run", "--rm", "--network", "container:one", "busybox", "awk", "{print $1,$2,$3}", "/proc/self/uid_map")
	d.must(t, "run", "-d", "--name", "guest", "--network", "container:one", "busybox", "sleep", "1000")
	d.wants(t, "both", 0, "run", "--rm", "--network", "container:one", "--pid", "container:guest", "busybox", "echo", "both")
	d.wants(t, "0 65535", 0, "run", "--rm", "--ipc=host", "busybox", "awk", "{print $1,$2}", "/proc/sys/net/ipv4/ping_group_range")

	t.Run("restart", func(t *testing.T) {
		d.Kill()
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
		d.wants(t, "0", 0, "exec", "one", "id", "-u")
	})
	t.Run("archives", func(t *testing.T) { testRemappedArchives(t, d) })
	t.Run("host", func(t *testing.T) { testUsernsHost(t, d) })
}

// testRemappedArchives has files come and go: in archives and images their owners are as in the container.
func testRemappedArchives(t *testing.T, d *daemon) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("copied"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file, 33, 44); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"running", "stopped"} {
		d.must(t, "cp", "-a", file, "one:/"+state)
		stream := d.docker.Run(nil, "cp", "one:/"+state, "-").Stdout
		if h, err := tar.NewReader(strings.NewReader(stream)).Next(); err != nil || h.Uid != 33 || h.Gid != 44 {
			t.Errorf("cp of a container that is %s: %+v, %v", state, h, err)
		}
		d.must(t, "stop", "-t", "0", "one")
	}
	d.must(t, "commit", "one", "committed")
	for _, flags := range [][]string{{"--rm"}, {"--rm", "--userns=host"}} {
		d.wants(t, "33 44\n33 44\n33 44", 0, append(append([]string{"run"}, flags...), "committed", "stat", "-c", "%u %g", "/new", "/running", "/stopped")...)
	}
	if got := d.must(t, "diff", "one"); !strings.Contains(got, "A /new") || strings.Contains(got, "busybox") {
		t.Errorf("diff: %s", got)
	}
}

// testUsernsHost opts out of user namespaces, and does not where the daemon has to refuse.
func testUsernsHost(t *testing.T, d *daemon) {
	d.wants(t, "0 0 4294967295", 0, "run", "--rm", "--userns=host", "--privileged", "--pid=host", "busybox", "awk", "{print $1,$2,$3}", "/proc/self/uid_map")
	d.must(t, "run", "-d", "--name", "roots", "--userns=host", "busybox", "sleep", "1000")
	for flag, want := range map[string]string{
		"--network=container:roots": "this one needs --userns=host, too",
		"--privileged":              "privileged mode is incompatible with user namespaces", "--pid=host": "cannot share the host PID namespace when user namespaces are enabled",
		"--network=host": "cannot share the host's network namespace when user namespaces are enabled",
	} {
		if r := d.docker.Run(nil, "run", "--rm", flag, "busybox", "true"); r.Code != 125 || !strings.Contains(r.Stderr, want) {
			t.Errorf("%s: exit %d, %s", flag, r.Code, r.Stderr)
		}
	}
}

func owned(t *testing.T, path string, uid, gid uint32) {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil || st.Uid != uid || st.Gid != gid {
		t.Errorf("%s is %d:%d's, %v; want %d:%d", path, st.Uid, st.Gid, err, uid, gid)
	}
}
