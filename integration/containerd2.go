package integration

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// containerd2Packages are the programs that the module in containerd2/ names as its tools.
var containerd2Packages = []string{
	"github.com/containerd/containerd/v2/cmd/containerd",
	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
	"github.com/containerd/containerd/v2/cmd/ctr",
}

// Containerd2Programs gives a directory with containerd 2, its ctr and its containerd-shim-runc-v2. They are built once, as
// the module in containerd2/ says, and kept in the tests' cache.
func Containerd2Programs() (dir string, err error) {
	tree, err := Tree()
	if err != nil {
		return "", err
	}
	module := filepath.Join(tree, "integration/containerd2")
	sum, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(sum)
	cache := filepath.Join(cacheDir(), "dhow-test")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(cache, "containerd2.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	dir = filepath.Join(cache, "containerd2-"+hex.EncodeToString(hash[:6]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if older, err := filepath.Glob(filepath.Join(cache, "containerd2-*")); err == nil {
		for _, o := range older {
			os.RemoveAll(o)
		}
	}
	return dir, buildContainerd2(module, dir)
}

// buildContainerd2 leaves out the snapshotters that need C libraries or programs of their own.
func buildContainerd2(module, dir string) error {
	half := dir + ".half"
	defer os.RemoveAll(half)
	if err := os.MkdirAll(half, 0o755); err != nil {
		return err
	}
	args := []string{"build", "-trimpath", "-tags", "no_btrfs,no_devmapper,no_zfs", "-ldflags", "-s -w", "-o", half + "/"}
	cmd := exec.Command("go", append(args, containerd2Packages...)...)
	cmd.Dir, cmd.Env = module, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build containerd 2: %w: %s", err, lastLines(string(out), 3))
	}
	return os.Rename(half, dir)
}
