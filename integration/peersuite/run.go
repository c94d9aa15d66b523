package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// side runs one file with one runtime, or reads what an earlier run wrote, and adds the verdicts to all. bats
// never runs two at a time: the tests share names of control groups and network devices.
func (o *options) side(stage, name, runtime, file string, all results) error {
	base := filepath.Base(file)
	tap := filepath.Join(o.results, stage, name, strings.TrimSuffix(base, ".bats")+".tap")
	if o.only == "" || o.only == name {
		fmt.Fprintf(os.Stderr, "%s %s %s\n", stage, name, base)
		if err := o.bats(file, runtime, tap); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(tap)
	if err != nil {
		return err
	}
	for _, t := range parseTAP(string(text)) {
		t.File = base
		all[t.key()] = t
	}
	return nil
}

// lock waits until no other run of the suite uses the machine.
func lock() (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "peersuite.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot wait for another run of the suite: %w", err), f.Close())
	}
	return f, nil
}

// complete says whether the file has a result for each test of its plan.
func complete(tap string) bool {
	text, err := os.ReadFile(tap)
	if err != nil {
		return false
	}
	var planned int
	_, err = fmt.Sscanf(string(text), "1..%d", &planned)
	return err == nil && len(parseTAP(string(text))) >= planned
}

// bats runs one file and keeps its TAP output. Some of the tests' sockets have fixed names in $TMPDIR, which is
// therefore this run's own.
func (o *options) bats(file, runtime, tap string) error {
	if err := os.MkdirAll(filepath.Dir(tap), 0o755); err != nil {
		return err
	}
	out, err := os.Create(tap)
	if err != nil {
		return err
	}
	turn, err := lock()
	if err != nil {
		return errors.Join(err, out.Close())
	}
	defer turn.Close()
	tmp, err := os.MkdirTemp("", "bats")
	if err != nil {
		return errors.Join(err, out.Close())
	}
	defer os.RemoveAll(tmp)
	if err := o.open(tmp, out); err != nil {
		return errors.Join(err, out.Close())
	}
	args := []string{"--tap", "--timing"}
	if o.filter != "" {
		args = append(args, "--filter", o.filter)
	}
	cmd := exec.Command("bats", append(args, file)...)
	cmd.Dir = filepath.Dir(file)
	cmd.Env = append(os.Environ(), "RUNC="+runtime, "TMPDIR="+tmp)
	cmd.Stdout, cmd.Stderr = out, out
	if o.user != nil {
		o.user.apply(cmd)
	}
	if err := runWithTerminal(cmd, o.timeout, func() bool { return complete(tap) }); err != nil { // a failed test is a result, not an error
		return errors.Join(fmt.Errorf("cannot run bats: %w", err), out.Close())
	}
	return out.Close()
}

// open makes the directory for temporary files and the output accessible to whoever runs the tests.
func (o *options) open(tmp string, out *os.File) error {
	if err := os.Chmod(tmp, 0o755); err != nil || o.user == nil {
		return err
	}
	return errors.Join(os.Chown(tmp, userID, userID), out.Chown(userID, userID))
}
