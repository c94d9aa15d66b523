package integration

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A Registry is Debian's docker-registry on a loopback address.
type Registry struct {
	Address string
	cmd     *exec.Cmd
}

// StartRegistry starts one with its storage in a new directory below dir, and with more in its configuration.
func StartRegistry(dir, more string) (*Registry, error) {
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		return nil, err
	}
	root, err := os.MkdirTemp(dir, "registry")
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Registry{Address: l.Addr().String()}
	l.Close()
	config := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: %s}\n  delete: {enabled: true}\nhttp: {addr: %q}\n%s", root, r.Address, more)
	path := filepath.Join(root, "config.yml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return nil, err
	}
	r.cmd = exec.Command(program, "serve", path)
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(EnginePatience); ; time.Sleep(20 * time.Millisecond) {
		if answer, err := http.Get("http://" + r.Address + "/v2/"); err == nil {
			answer.Body.Close()
			return r, nil
		} else if time.Now().After(deadline) {
			r.Close()
			return nil, fmt.Errorf("the registry does not answer: %w", err)
		}
	}
}

// Close ends it.
func (r *Registry) Close() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

// PushLayers makes an image of n layers of 1 MiB above busybox, and pushes it with an engine.
func PushLayers(c *Client, ref string, n int) error {
	from := "busybox"
	for i := range n - 1 {
		if err := addLayer(c, from, i, ref); err != nil {
			return err
		}
		from = ref
	}
	_, err := c.Do("push", "-q", ref)
	return err
}

// addLayer commits a container with one more file of noise.
func addLayer(c *Client, from string, i int, ref string) error {
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: fmt.Sprint("noise", i), Mode: 0o644, Size: int64(len(noise))}); err != nil {
		return err
	}
	if _, err := w.Write(noise); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	id, err := c.Do("create", from, "true")
	if err != nil {
		return err
	}
	if r := c.Run(&archive, "cp", "-", id+":/"); r.Code != 0 {
		return fmt.Errorf("cp: %s", r.Stderr)
	}
	if _, err := c.Do("commit", id, ref); err != nil {
		return err
	}
	_, err = c.Do("rm", id)
	return err
}
