package image

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/moby/moby/api/types/registry"
)

// startRegistry starts Debian's docker-registry on loopback and returns its address.
func startRegistry(t testing.TB, config string) string {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("docker-registry is not installed (Debian package docker-registry)")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	addr := l.Addr().String()
	must(l.Close())
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yml")
	must(os.WriteFile(file, fmt.Appendf(nil, "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: %s\n  delete:\n    enabled: true\nhttp:\n  addr: %s\n%s", dir, addr, config), 0o600))
	cmd := exec.Command(program, "serve", file)
	out, err := cmd.StderrPipe()
	must(err)
	must(cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "listening on") {
	}
	go func() {
		for lines.Scan() {
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return addr
}

func (w *world) pull(ref string, all bool) ([]string, error) {
	var lines []string
	err := w.ImagePull(context.Background(), ref, all, nil, nil, collect(&lines))
	return lines, err
}

func (w *world) push(ref string, all bool) ([]string, error) {
	var lines []string
	err := w.ImagePush(context.Background(), ref, all, nil, nil, collect(&lines))
	return lines, err
}

func (w *world) tag(name, repo string) {
	w.t.Helper()
	if err := w.ImageTag(context.Background(), name, repo, ""); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) delete(name string) {
	w.t.Helper()
	if _, err := w.ImageDelete(context.Background(), name, false, true, nil); err != nil {
		w.t.Fatal(err)
	}
}

func TestPushAndPull(t *testing.T) {
	addr := startRegistry(t, "")
	w := open(t, Options{})
	i := two()
	w.mustLoad(i)
	name := addr + "/some/two:1"
	w.tag("two:1", name)
	lines, err := w.push(name, false)
	if err != nil {
		t.Fatal(err)
	}
	id := func(n int) string { return short(digestBytes(i.layers[n])) }
	told := strings.Join(lines, "\n")
	for _, want := range []string{
		"The push refers to repository [" + addr + "/some/two]", id(1) + ": Pushed", "1: digest: sha256:",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("no %q in\n%s", want, told)
		}
	}
	w.delete("two:1")
	w.delete(name)
	if list, err := w.ImageList(context.Background(), noList); err != nil || len(list) != 0 {
		t.Fatalf("images left: %v, %v", list, err)
	}
	if lines, err = w.pull(name, false); err != nil {
		t.Fatal(err)
	}
	told = strings.Join(lines, "\n")
	for _, want := range []string{
		"1: Pulling from some/two\n", id(0) + ": Pulling fs layer", id(0) + ": Verifying Checksum", id(0) + ": Download complete",
		id(1) + ": Pull complete", "Digest: sha256:", "Status: Downloaded newer image for " + name,
	} {
		if !strings.Contains(told, want) {
			t.Errorf("no %q in\n%s", want, told)
		}
	}
	if lines, err = w.pull(name, false); err != nil || !strings.Contains(strings.Join(lines, "\n"), "Status: Image is up to date for "+name) {
		t.Errorf("pulled again: %v, %v", lines, err)
	}
	w.container("c1", name)
	if read(t, w.mounted("c1"), "etc/b") != "b" {
		t.Error("wrong file")
	}
	w.tag(name, addr+"/other:2")
	if lines, err = w.push(addr+"/other", true); err != nil || !strings.Contains(strings.Join(lines, "\n"), id(0)+": Mounted from some/two") {
		t.Errorf("pushed elsewhere: %v, %v", lines, err)
	}
	if lines, err = w.push(name, false); err != nil || !strings.Contains(strings.Join(lines, "\n"), id(0)+": Layer already exists") {
		t.Errorf("pushed again: %v, %v", lines, err)
	}
}

func TestPullErrors(t *testing.T) {
	addr := startRegistry(t, "")
	w := open(t, Options{})
	if _, err := w.pull(addr+"/none:1", false); err == nil || err.Error() != `failed to resolve reference "`+addr+`/none:1": `+addr+"/none:1: not found" {
		t.Errorf("got %v", err)
	}
	if _, err := w.push(addr+"/none:1", false); err == nil || err.Error() != "tag does not exist: "+addr+"/none:1" {
		t.Errorf("got %v", err)
	}
	if _, err := w.pull("127.0.0.1:1/none:1", false); err == nil || !strings.Contains(err.Error(), "connect: connection refused") {
		t.Errorf("got %v", err)
	}
}

func TestBasicAuth(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "htpasswd") // user, secret
	must(os.WriteFile(file, []byte("user:"+bcrypted), 0o600))
	addr := startRegistry(t, "auth:\n  htpasswd:\n    realm: test\n    path: "+file+"\n")
	w := open(t, Options{})
	w.mustLoad(two())
	name := addr + "/two:1"
	w.tag("two:1", name)
	ctx := context.Background()
	var lines []string
	if err := w.ImagePush(ctx, name, false, nil, nil, collect(&lines)); err == nil {
		t.Error("pushed without credentials")
	} else {
		t.Log(err)
	}
	auth := &registry.AuthConfig{Username: "user", Password: "secret", ServerAddress: addr}
	if err := w.ImagePush(ctx, name, false, nil, auth, collect(&lines)); err != nil {
		t.Fatal(err)
	}
	w.delete("two:1")
	w.delete(name)
	if err := w.ImagePull(ctx, name, false, nil, nil, collect(&lines)); err == nil || !strings.Contains(err.Error(), "no basic auth credentials") {
		t.Errorf("got %v", err)
	}
	bad := &registry.AuthConfig{Username: "user", Password: "wrong"}
	if err := w.ImagePull(ctx, name, false, nil, bad, collect(&lines)); err == nil || err.Error() != "unknown: failed to resolve reference \""+name+"\": unexpected status from HEAD request to http://"+addr+"/v2/two/manifests/1: 401 Unauthorized" {
		t.Errorf("got %v", err)
	}
	if err := w.ImagePull(ctx, name, false, nil, auth, collect(&lines)); err != nil {
		t.Error(err)
	}
}

// bcrypted is `secret`, as htpasswd -B has it.
const bcrypted = "$2y$12$BFbXa01HPxIp2OyxrurwgeL7OCA/lSFNYHJOkBHlSq4Q0H19LiVdu\n"

// repack gives an image a name with its layers compressed, as builders make them.
func (w *world) repack(name, to string) string {
	w.t.Helper()
	ctx, release, err := w.hold(context.Background(), false)
	must(err)
	defer release()
	f, err := w.find(ctx, name)
	must(err)
	one, err := w.choose(ctx, f.any().Target, nil, name)
	must(err)
	img := newMade(nil)
	img.config = one.image
	for _, l := range one.layers {
		r, err := w.content.ReaderAt(ctx, l)
		must(err)
		stored, err := w.storePlain(ctx, content.NewReader(r))
		must(err)
		must(r.Close())
		img.layers = append(img.layers, stored.desc)
	}
	_, err = w.save(ctx, img, to)
	must(err)
	return to
}
