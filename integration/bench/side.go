package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/dhow-containers/dhow/integration"
)

// side is one program in the comparison.
type side struct {
	name string
	path string
	root string   // its state directory
	env  []string // nil: inherited
	next int      // for ids
}

// sides are ours and the peers that are installed and work in this stage.
func sides(ours string, t tools, stage integration.Stage, state string) []*side {
	list := []*side{{name: "ours", path: ours}}
	if path, err := exec.LookPath("runc"); err == nil {
		list = append(list, &side{name: "runc", path: path})
	}
	if path, err := exec.LookPath("crun"); err == nil && stage == integration.Unified { // it refuses hybrid hosts
		list = append(list, &side{name: "crun", path: path, env: append(os.Environ(), "LD_PRELOAD="+t.rlimit)})
	}
	for _, s := range list {
		s.root = filepath.Join(state, s.name)
	}
	return list
}

func (s *side) id() string {
	s.next++
	return fmt.Sprintf("dhowbench-%d-%s-%d", os.Getpid(), s.name, s.next)
}

func (s *side) argv(args ...string) []string {
	return append([]string{s.path, "--root", s.root}, args...)
}

// call runs a verb outside the measurement.
func (s *side) call(args ...string) (string, error) {
	argv := s.argv(args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = s.env
	log, err := os.CreateTemp("", "dhow-bench-log")
	if err != nil {
		return "", err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log // files: a container that lives on would hold a pipe open
	err = cmd.Run()
	text, _ := os.ReadFile(log.Name())
	if err != nil {
		return "", fmt.Errorf("%s %v: %w\n%s", s.name, args, err, text)
	}
	return string(text), nil
}

type status struct {
	Status string
	Pid    int
}

func (s *side) state(id string) (status, error) {
	text, err := s.call("state", id)
	if err != nil {
		return status{}, err
	}
	var st status
	return st, json.Unmarshal([]byte(text), &st)
}

// awaitStopped waits, outside the measurement, until a container's process has ended.
func (s *side) awaitStopped(id string) error {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		st, err := s.state(id)
		if err != nil || st.Status == "stopped" {
			return err
		}
	}
	return fmt.Errorf("%s: %s does not stop", s.name, id)
}

// running starts a container that does nothing, and tells how to remove it.
func (s *side) running(bundle string) (id string, remove func(), err error) {
	id = s.id()
	remove = func() { _, _ = s.call("delete", "--force", id) } // at the end of a run: nothing to do about an error
	if _, err = s.call("run", "--detach", "--bundle", bundle, id); err != nil {
		remove()
	}
	return id, remove, err
}
