package apparmor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Where the kernel tells about profiles (Documentation/admin-guide/LSM/apparmor.rst), and programs are that are not in
// everybody's $PATH.
const (
	loadedFile  = "/sys/kernel/security/apparmor/profiles"
	enabledFile = "/sys/module/apparmor/parameters/enabled"
	labelFile   = "/proc/self/attr/apparmor/current"
)

// Enabled says whether containers can have profiles: AppArmor is on, and the kernel tells which are loaded. It does not
// in a container ($container, as systemd, lxc and podman set it), where nobody may load any.
func Enabled() bool {
	text, err := os.ReadFile(enabledFile)
	if err != nil || !bytes.HasPrefix(text, []byte("Y")) || os.Getenv("container") != "" {
		return false
	}
	_, err = os.Stat(loadedFile)
	return err == nil
}

// A Loader keeps the profile Default loaded. The zero Loader is ready.
type Loader struct {
	mu sync.Mutex

	loaded string // a file, for tests; "" for the kernel's
	parser func(ctx context.Context, text string) error
}

// parseLimit bounds apparmor_parser, which takes a tenth of a second on an idle machine.
const parseLimit = time.Minute

// Ensure loads a profile, if it is Default and no longer, or not yet, there: upgrades of packages unload profiles that
// no file in /etc/apparmor.d has. Other profiles are their owner's.
func (l *Loader) Ensure(ctx context.Context, name string) error {
	if name != Default {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	there, err := l.has(name)
	if err != nil || there {
		return explain(err)
	}
	ctx, cancel := context.WithTimeout(ctx, parseLimit)
	defer cancel()
	parse := l.parser
	if parse == nil {
		parse = load
	}
	return explain(parse(ctx, profile(name, ownLabel())))
}

// explain has Docker's words, by which people find what to do.
func explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("AppArmor enabled on system but the %s profile could not be loaded: %w", Default, err)
}

// has looks for a profile among those that are loaded, one "NAME (MODE)" a line.
func (l *Loader) has(name string) (bool, error) {
	file := l.loaded
	if file == "" {
		file = loadedFile
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(text)) {
		if withoutMode(line) == name {
			return true, nil
		}
	}
	return false, nil
}

// load gives a profile to apparmor_parser. A compiled one in a cache may be of another text.
func load(ctx context.Context, text string) error {
	program, err := findParser()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, "--skip-cache", "--replace")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(out))
	}
	return nil
}

// findParser looks where Debian has it, too: a root's $PATH may lack these.
func findParser() (string, error) {
	const name = "apparmor_parser"
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", errors.New(name + " is not installed (in Debian and Ubuntu it is in the package apparmor); --security-opt apparmor=unconfined runs containers without a profile")
}

// ownLabel is the profile that this process runs under.
func ownLabel() string {
	text, err := os.ReadFile(labelFile)
	if err != nil {
		return Unconfined
	}
	return withoutMode(string(text))
}

// withoutMode is the name in a label, such as "docker-default (enforce)". The name may have spaces, too.
func withoutMode(label string) string {
	label = strings.TrimRight(label, "\n\x00")
	if at := strings.LastIndex(label, " ("); at >= 0 && strings.HasSuffix(label, ")") {
		return label[:at]
	}
	return label
}
