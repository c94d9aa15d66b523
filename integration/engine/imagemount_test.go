package engine

import (
	"strings"
	"testing"
)

// An image that a container has mounted is read-only, held as long as the container is there, and gone without a trace
// with it, whatever happens to the daemon.
func TestImageMounts(t *testing.T) {
	d := newDaemon(t)
	d.load(t)
	imageMounts(t, d)
	r := d.docker.Run(nil, "run", "--rm", "--privileged", "--mount", "type=image,source=busybox,target=/x", "busybox", "sh", "-c", "echo > /x/new")
	if !strings.Contains(r.Stderr, "Read-only file system") {
		t.Errorf("a privileged container may write to an image: %d %s", r.Code, r.Stderr)
	}
}

// TestImageMountsRemapped has the mounted images' files belong to the container's ids.
func TestImageMountsRemapped(t *testing.T) {
	withRemapUser(t)
	d := newDaemon(t, "--userns-remap", "default")
	d.load(t)
	imageMounts(t, d)
}

func imageMounts(t *testing.T, d *daemon) {
	t.Helper()
	refused := func(words string, args ...string) {
		t.Helper()
		if r := d.docker.Run(nil, args...); r.Code == 0 || !strings.Contains(r.Stderr, words) {
			t.Errorf("docker %s: exit %d, %s, want %q", strings.Join(args, " "), r.Code, r.Stderr, words)
		}
	}
	d.must(t, "run", "--name", "maker", "busybox", "sh", "-c", "mkdir -p /share/deep; echo one > /share/deep/file; ln -s ../../../../../etc/passwd /share/out")
	d.must(t, "commit", "maker", "data:1")
	d.must(t, "rm", "maker")

	image := "type=image,source=data:1,target=/x"
	d.wants(t, "one\n0:0", 0, "run", "--rm", "--mount", image, "busybox", "sh", "-c", "cat /x/share/deep/file; stat -c %u:%g /x/share/deep/file")
	d.wants(t, "one", 0, "run", "--rm", "--mount", image+",image-subpath=share/deep", "busybox", "cat", "/x/file")
	d.wants(t, "one", 0, "run", "--rm", "--mount", image+",image-subpath=share/deep/file", "busybox", "cat", "/x")
	refused("Read-only file system", "run", "--rm", "--mount", image, "busybox", "sh", "-c", "echo > /x/new")
	refused("cannot access path", "run", "--rm", "--mount", image+",image-subpath=none", "busybox", "true")
	refused("leads out of the volume", "run", "--rm", "--mount", image+",image-subpath=share/out", "busybox", "true")
	refused("No such image: none:latest", "run", "--rm", "--mount", "type=image,source=none,target=/x", "busybox", "true")

	d.must(t, "run", "-d", "--name", "user", "--mount", image, "busybox", "sleep", "1000")
	d.must(t, "create", "--name", "other", "--volumes-from", "user", "busybox", "cat", "/x/share/deep/file")
	if got := d.state(t, "user", "{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.RW}} {{.Propagation}}{{end}}"); got != "image data:1 /x false rprivate" {
		t.Errorf("inspect: %s", got)
	}
	refused("is using its referenced image", "rmi", "data:1")
	d.must(t, "rmi", "-f", "data:1")
	if got := d.must(t, "image", "prune", "-f"); strings.Contains(got, "deleted") {
		t.Errorf("an image in use was pruned: %s", got)
	}

	d.Kill()
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	d.wants(t, "one", 0, "exec", "user", "cat", "/x/share/deep/file")
	d.must(t, "restart", "-t", "0", "user")
	d.wants(t, "one", 0, "exec", "user", "cat", "/x/share/deep/file")
	d.wants(t, "one", 0, "start", "-a", "other")
	if out := d.must(t, "cp", "other:/x/share/deep/file", "-"); !strings.Contains(out, "one") {
		t.Errorf("cp: %q", out)
	}
	for _, held := range d.holdings(t) {
		if strings.Contains(held, "mounts/image-") {
			t.Errorf("the host has a %s", held)
		}
	}
	d.wantsNothingHeld(t)
	d.must(t, "image", "prune", "-f")
	if got := d.must(t, "images", "-aq"); strings.Count(got, "\n") != 0 {
		t.Errorf("images are left: %s", got)
	}
}
