package integration

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// ImageArchive writes an image with one layer, the root file system in the directory rootfs, as `docker save` does: what
// containerd imports and docker loads. command is what its containers run, in a $PATH of /bin.
func ImageArchive(path, name, rootfs string, command ...string) error {
	dir, err := os.MkdirTemp("", "image")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	layer, err := archive(filepath.Join(dir, "layer.tar"), rootfs)
	if err != nil {
		return err
	}
	config := map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Env": []string{"PATH=/bin"}, "Cmd": command, "WorkingDir": "/"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + layer}},
	}
	manifest := []any{map[string]any{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}}
	for file, content := range map[string]any{"config.json": config, "manifest.json": manifest} {
		data, err := json.Marshal(content)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o644); err != nil {
			return err
		}
	}
	_, err = archive(path, dir)
	return err
}

// archive writes what is in dir into a tar file, and returns its SHA-256 sum.
func archive(path, dir string) (sum string, err error) {
	out, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer out.Close()
	hash := sha256.New()
	w := tar.NewWriter(io.MultiWriter(out, hash))
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		return "", err
	}
	err = w.Close()
	return hex.EncodeToString(hash.Sum(nil)), err
}
