package container

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/diagnose"
	"github.com/dhow-containers/dhow/runtime/inroot"
	"github.com/dhow-containers/dhow/runtime/plan"
)

// hostFacts looks up what the Program depends on.
func (s *Store) hostFacts(in *plan.Input, rootfs string) (err error) {
	in.Host.ExistsKcore = unix.Access("/proc/kcore", unix.F_OK) == nil
	in.Host.Capabilities = diagnose.Capabilities()
	in.Host.Links = copiedLinks(in.Bundle, in.Config.Mounts)
	p := in.Config.Process
	if p.OOMScoreAdj != nil {
		in.Host.OOMScoreAdj = ownOOMScore()
	}
	if plan.NeedsHome(p.Env) {
		in.Host.Home = home(rootfs, p.User.UID)
	}
	if p.ApparmorProfile != "" {
		in.Host.AppArmor = HasAppArmor()
	}
	if p.SelinuxLabel != "" || in.Config.Linux != nil && in.Config.Linux.MountLabel != "" {
		in.Host.SELinux = HasSELinux()
	}
	if in.NoPivot {
		in.Host.Revealing, err = revealing(rootfs)
	}
	return err
}

// copiedLinks reads the symbolic links among the sources of mounts with the option copy-symlink.
func copiedLinks(bundle string, mounts []specs.Mount) map[string]string {
	var links map[string]string
	for i := range mounts {
		if !slices.Contains(mounts[i].Options, "copy-symlink") {
			continue
		}
		source := mounts[i].Source
		if !filepath.IsAbs(source) {
			source = filepath.Join(bundle, source)
		}
		if target, err := os.Readlink(source); err == nil {
			if links == nil {
				links = map[string]string{}
			}
			links[source] = target
		}
	}
	return links
}

// ownOOMScore reads the adjustment that a child inherits; a value no config can have stands for unknown.
func ownOOMScore() int {
	text, err := readFile(unix.AT_FDCWD, "/proc/self/oom_score_adj")
	if err == nil {
		if v, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return v
		}
	}
	return 1 << 20
}

// writeOOMScore sets the adjustment of a process that could not do so itself.
func writeOOMScore(pid, score int) error {
	if err := os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", strconv.AppendInt(nil, int64(score), 10), 0); err != nil {
		return fmt.Errorf("cannot set the OOM score adjustment to %d (process.oomScoreAdj): %w", score, err)
	}
	return nil
}

// maxPasswd bounds how much of an image's /etc/passwd is read.
const maxPasswd = 1 << 20

// home finds the home directory of uid in the /etc/passwd of the rootfs, as the container will see it;
// "/" when it is not there.
func home(rootfs string, uid uint32) string {
	dir, err := unix.Open(rootfs, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "/"
	}
	defer unix.Close(dir)
	text, err := inroot.Read(dir, "etc/passwd", maxPasswd)
	if err != nil {
		return "/"
	}
	if dir := passwdField(string(text), uid, passwdHome); dir != "" {
		return dir
	}
	return "/"
}
