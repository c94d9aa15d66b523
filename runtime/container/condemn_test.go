package container

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/runtime/launch"
)

// claimed begins a container and gives it a process, a child of the test's.
func claimed(t *testing.T, s *Store) (*making, *exec.Cmd) {
	t.Helper()
	m := newMaking(s)
	if err := m.claim(s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.close)
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	m.o, m.proc = &CreateOptions{}, &launch.Process{Pid: cmd.Process.Pid, Pidfd: -1}
	return m, cmd
}

// TestDeleteBeforeTheRecord: a create that comes to its record after a delete gives up, and the delete waits for that.
func TestDeleteBeforeTheRecord(t *testing.T) {
	s := &Store{Root: t.TempDir()}
	m, _ := claimed(t, s)
	h, err := s.open("c")
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if err := h.condemn(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.delete() }()
	var class conflict
	if err := m.explain(m.record()); !errors.As(err, &class) {
		t.Errorf("create says %v, want a conflict", err)
	}
	if m.recorded {
		t.Error("it counts as recorded")
	}
	select {
	case err := <-done:
		t.Errorf("the delete is done before the create: %v", err)
	default:
	}
	m.unclaim()
	m.unlock()
	if err := <-done; err != nil {
		t.Errorf("the delete says %v", err)
	}
	if left, err := os.ReadDir(s.Root); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestRecordBeforeTheDelete: a delete that has read the record before the process was in it kills it all the same.
func TestRecordBeforeTheDelete(t *testing.T) {
	s := &Store{Root: t.TempDir()}
	m, cmd := claimed(t, s)
	h, err := s.open("c")
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if err := m.record(); err != nil {
		t.Fatal(err)
	}
	m.keep()
	done := make(chan error, 1)
	go func() { done <- h.delete() }()
	if err := cmd.Wait(); err == nil {
		t.Error("the process ended by itself")
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(s.Root); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDeleteBeforeAnyRecord: a create whose directory was still empty when it was deleted gives up, too.
func TestDeleteBeforeAnyRecord(t *testing.T) {
	s := &Store{Root: t.TempDir()}
	dir, err := s.makeDir("c")
	if err != nil {
		t.Fatal(err)
	}
	m := newMaking(s)
	m.handle = &handle{&record{ID: "c"}, s, dir}
	defer m.close()
	if err := s.Delete("c", true); err != nil {
		t.Fatal(err)
	}
	if err := m.checkWanted(); err == nil {
		t.Error("it is still wanted")
	}
}

// TestAnotherTakesTheID: a condemned create leaves the control groups alone that a new container of its id has.
func TestAnotherTakesTheID(t *testing.T) {
	s := &Store{Root: t.TempDir()}
	first, _ := claimed(t, s)
	first.unlock() // as after the time that a delete waits
	if err := s.Delete("c", true); err != nil {
		t.Fatal(err)
	}
	if first.succeeded() {
		t.Error("nobody has taken the id yet")
	}
	second, _ := claimed(t, s)
	if !first.succeeded() || second.succeeded() {
		t.Errorf("first %v, second %v", first.succeeded(), second.succeeded())
	}
	if err := second.writeRecord(true); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("a second record in one directory: %v", err)
	}
	first.unclaim()
	if _, err := s.State("c"); err != nil {
		t.Errorf("the second container is gone: %v", err)
	}
}
