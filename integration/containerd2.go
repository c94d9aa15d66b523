package integration

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Containerd2Programs gives a directory with containerd 2, its ctr and its containerd-shim-runc-v2. The drivers that need C
// libraries or programs of their own are left out.
func Containerd2Programs() (dir string, err error) {
	return builtTools("containerd2", "no_btrfs,no_devmapper,no_zfs")
}

// DockerdProgram gives the directory of a dockerd that knows shims as runtimes, which Debian's, 20.10, does not.
func DockerdProgram() (dir string, err error) {
	return builtTools("dockerd", "exclude_graphdriver_btrfs,exclude_graphdriver_zfs")
}

// builtTools gives a directory with the programs that the module integration/NAME has as its tools. They are built once, and
// kept in the tests' cache.
func builtTools(name, tags string) (dir string, err error) {
	tree, err := Tree()
	if err != nil {
		return "", err
	}
	module := filepath.Join(tree, "integration", name)
	versions, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(versions)
	cache, unlock, err := Cache(name)
	if err != nil {
		return "", err
	}
	defer unlock()
	dir = filepath.Join(cache, name+"-"+hex.EncodeToString(hash[:6]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if older, err := filepath.Glob(filepath.Join(cache, name+"-*")); err == nil {
		for _, o := range older {
			os.RemoveAll(o)
		}
	}
	return dir, buildTools(module, tags, dir)
}

// buildTools works beside dir and renames, so that a broken build leaves nothing there.
func buildTools(module, tags, dir string) error {
	half := dir + ".half"
	defer os.RemoveAll(half)
	if err := os.MkdirAll(half, 0o755); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-tags", tags, "-ldflags", "-s -w", "-o", half+"/", "tool")
	cmd.Dir, cmd.Env = module, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build the tools of %s: %w: %s", module, err, lastLines(string(out), 3))
	}
	return os.Rename(half, dir)
}
