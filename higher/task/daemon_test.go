package task_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/higher/task"
)

// daemonEnv has the test program be a daemon: it starts a container, attaches the client on descriptor 3, and says so.
const daemonEnv = "DHOW_TASK_TEST_DAEMON"

// errand is what such a daemon is told.
type errand struct {
	Manager   task.Options
	Container task.CreateOptions
}

func runDaemon(text string) error {
	var e errand
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return err
	}
	conn, err := net.FileConn(os.NewFile(3, "client"))
	if err != nil {
		return err
	}
	ctx := context.Background()
	t, err := task.New(e.Manager).Create(ctx, e.Container)
	if err != nil {
		return err
	}
	if _, err := t.Attach(ctx, everything, conn); err != nil {
		return err
	}
	if err := t.Start(ctx); err != nil {
		return err
	}
	fmt.Println("ready")
	select {}
}

// TestDaemonKilled kills a daemon: the container runs on, the client that it has attached is served, and the next daemon finds
// how the container ended.
func TestDaemonKilled(t *testing.T) {
	w := newWorld(t)
	id := "kept"
	o := task.CreateOptions{ID: id, Bundle: w.bundle(id, "read x; echo got $x; exit 6", nil), Stdin: true,
		Log: task.LogConfig{Path: filepath.Join(w.dir, "kept.log")}}
	text, err := json.Marshal(errand{w.options, o})
	w.must(err)
	client, server := w.client()
	file, err := server.File()
	w.must(err)
	server.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), daemonEnv+"="+string(text))
	cmd.ExtraFiles, cmd.Stderr = []*os.File{file}, os.Stderr
	out, err := cmd.StdoutPipe()
	w.must(err)
	w.must(cmd.Start())
	file.Close()
	expect(t, out, "ready\n")
	w.must(cmd.Process.Signal(unix.SIGKILL))
	cmd.Wait()
	kept, err := w.Load(t.Context(), id, o.Bundle)
	w.must(err)
	c := &container{Task: kept, w: w, id: id, bundle: o.Bundle, log: o.Log.Path}
	t.Cleanup(c.remove)
	fmt.Fprintln(client, "word")
	if got := streams(t, client); got[1] != "got word\n" {
		t.Errorf("got %q", got)
	}
	if exit := c.ends(); exit.Status != 6 {
		t.Errorf("got %+v", exit)
	}
	if got := c.logged(); got != "got word\n" {
		t.Errorf("logged %q", got)
	}
	if _, err := io.ReadAll(client); err != nil {
		t.Error(err)
	}
}
