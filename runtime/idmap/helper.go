package idmap

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/internal/lookpath"
)

// maxMessage bounds what is kept of a helper's standard error.
const maxMessage = 4096

// ask has the helper write a mapping.
func (k *kind) ask(pid int, list []specs.LinuxIDMapping, own int) error {
	path, err := Helper(k.helper)
	if err != nil {
		return fmt.Errorf("cannot map %s (%s): %w; without it only the own id %d can be mapped", k.noun, k.field, err, own)
	}
	args := []string{k.helper, strconv.Itoa(pid)}
	for _, m := range list {
		for _, n := range [...]uint32{m.ContainerID, m.HostID, m.Size} {
			args = append(args, strconv.FormatUint(uint64(n), 10))
		}
	}
	message, err := run(path, args)
	if err == nil {
		return nil
	}
	if message != "" {
		err = errors.New(message)
	}
	return fmt.Errorf("cannot map %s (%s): %s: %w%s", k.noun, k.field, k.helper, err, k.hint(list, own))
}

// Helper finds newuidmap or newgidmap through $PATH.
func Helper(name string) (string, error) {
	path, err := lookpath.Find(name)
	if err != nil {
		return "", fmt.Errorf("%s is not in $PATH (Debian has it in the package uidmap)", name)
	}
	return path, nil
}

// run executes a program that prints nothing but complaints, in an empty environment.
func run(path string, args []string) (message string, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer null.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	p, err := os.StartProcess(path, args, &os.ProcAttr{Dir: "/", Env: []string{}, Files: []*os.File{null, null, w}})
	w.Close()
	if err != nil {
		r.Close()
		return "", err
	}
	text, readErr := io.ReadAll(io.LimitReader(r, maxMessage))
	r.Close() // one that has more to say must not wait for a reader
	state, err := p.Wait()
	if err == nil && !state.Success() {
		err = errors.New(state.String())
	}
	if err == nil {
		return "", nil
	}
	return complaint(string(text), args[0]), errors.Join(err, readErr)
}

// complaint is the first line of what a helper said, without its own name in front.
func complaint(text, name string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, name+":"))
}

// hint tells which ids the caller has, when the mapping asks for others.
func (k *kind) hint(list []specs.LinuxIDMapping, own int) string {
	ranges, err := Ranges(k.ranges, os.Geteuid())
	if err != nil {
		return ""
	}
	for _, m := range list {
		if m.Size == 1 && int(m.HostID) == own || covered(ranges, m) {
			continue
		}
		if len(ranges) == 0 {
			return fmt.Sprintf(" (%s has nothing for user %d)", k.ranges, os.Geteuid())
		}
		return fmt.Sprintf(" (%s gives user %d %s)", k.ranges, os.Geteuid(), join(ranges))
	}
	return ""
}
