package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/dhow-containers/dhow/integration/vm/job"
)

// agent carries out the job and reports on the port.
func agent(j job.Job) error {
	port, err := openPort()
	if err != nil {
		return err
	}
	defer port.Close()
	env, err := diskVariables()
	if err != nil {
		fmt.Fprintf(port, "%s%v\n", job.Note, err)
	}
	for _, r := range j.Runs {
		r.Env = append(r.Env, env...)
		fmt.Fprintf(port, "%s%s\n", job.Begin, r.Name)
		out := &lineEnder{w: port}
		status, err := carryOut(r, out)
		out.end()
		if err != nil {
			fmt.Fprintf(port, "%s%s: %v\n", job.Note, r.Name, err)
		}
		fmt.Fprintf(port, "%s%s %d\n", job.End, r.Name, status)
	}
	_, err = fmt.Fprintln(port, job.Done)
	return err
}

func openPort() (*os.File, error) {
	found, err := filepath.Glob("/sys/class/virtio-ports/*/name")
	if err != nil {
		return nil, err
	}
	for _, file := range found {
		if name, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(name)) == job.Port {
			return os.OpenFile("/dev/"+filepath.Base(filepath.Dir(file)), os.O_RDWR, 0)
		}
	}
	return nil, errors.New("there is no port " + job.Port)
}

// diskVariables tells the tests where the disks are that they may use.
func diskVariables() ([]string, error) {
	swap, err := diskBySerial(job.SwapDisk)
	if err != nil {
		return nil, err
	}
	scratch, err := diskBySerial(job.ScratchDisk)
	return []string{"DHOW_TEST_DISK=" + scratch, "DHOW_TEST_SWAP=" + swap}, err
}

// carryOut runs one program; its status is 128+n after signal n.
func carryOut(r job.Run, out io.Writer) (status int, err error) {
	cmd := exec.Command(r.Args[0], r.Args[1:]...)
	cmd.Env = append(os.Environ(), r.Env...)
	if r.User != "" {
		if cmd, err = asUser(r); err != nil {
			return 1, err
		}
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.Dir, out, out
	cmd.WaitDelay = 5 * time.Second // an orphan may hold the pipe
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	if cmd.ProcessState == nil {
		return 1, err
	}
	if s := cmd.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() {
		return 128 + int(s.Signal()), err
	}
	return cmd.ProcessState.ExitCode(), err
}

// asUser asks the user's own systemd for a service: only below its group may this user make groups.
func asUser(r job.Run) (*exec.Cmd, error) {
	const uid, home = 1000, "/home/tester"
	runtimeDir := fmt.Sprintf("/run/user/%d", uid)
	bus := runtimeDir + "/bus"
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if _, err := os.Stat(bus); err == nil {
			break
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("the user's systemd has no bus: %s", bus)
		}
	}
	args := []string{"--user", "--wait", "--pipe", "--quiet", "--collect", "--property=Delegate=yes", "--working-directory=" + r.Dir}
	session := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=" + home, "USER=" + r.User, "LOGNAME=" + r.User,
		"XDG_RUNTIME_DIR=" + runtimeDir, "DBUS_SESSION_BUS_ADDRESS=unix:path=" + bus,
	}
	for _, e := range append(session, r.Env...) {
		args = append(args, "--setenv="+e)
	}
	cmd := exec.Command("systemd-run", append(append(args, "--"), r.Args...)...)
	cmd.Env = session
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return cmd, nil
}

// lineEnder knows whether the last line is whole.
type lineEnder struct {
	w    io.Writer
	open bool
}

func (l *lineEnder) Write(p []byte) (int, error) {
	if len(p) > 0 {
		l.open = p[len(p)-1] != '\n'
	}
	return l.w.Write(p)
}

func (l *lineEnder) end() {
	if l.open {
		_, _ = io.WriteString(l.w, "\n")
	}
}
