package integration

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// debian is a bundle whose root is the cached Debian, read-only.
func debian(t *testing.T, edits ...Edit) *Bundle {
	t.Helper()
	needRoot(t)
	rootfs, err := DebianRootfs()
	if errors.Is(err, ErrNoDebootstrap) {
		skip(t, err.Error())
	}
	must(t, err)
	shared := func(b *Bundle) {
		b.Spec.Root.Path, b.Spec.Root.Readonly = rootfs, true
	}
	return newBundle(t, append([]Edit{shared, Mount("tmpfs", "tmpfs", "/tmp")}, edits...)...)
}

func TestDebianPrograms(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for script, want := range map[string]string{
		"apt-get --version | head -1":                                "apt ",
		"bash -c 'echo $((6 * 7)) ${BASH_VERSION%%.*}'":              "42 5",
		"dpkg-query -W | sort | uniq | wc -l | grep -c '[0-9][0-9]'": "1",
		"perl -e 'print join(\",\", map { $_ * 2 } 1 .. 3)'":         "2,4,6",
		"getent passwd www-data | cut -d: -f3":                       "33",
	} {
		res := r.Run(debian(t, Args("/bin/bash", "-c", script), DockerSeccomp)).Exited(0)
		if !strings.Contains(res.Stdout, want) {
			t.Errorf("%s: %q, want %q; stderr %q", script, res.Stdout, want, res.Stderr)
		}
	}
}

func TestDebianInteractiveShell(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := debian(t, Args("/bin/bash", "--norc"), terminal, Env("TERM=xterm", "PS1=ready> "))
	out := newWatcher("ready> ")
	master, wait := onPty(t, r, out, pty.Winsize{Rows: 30, Cols: 90}, "run", "--bundle", b.Dir, r.ID())
	out.await(t)
	say := func(line string) {
		_, err := master.WriteString(line)
		must(t, err)
	}
	say("stty size; sleep 1000\n")
	await(t, "the size", func() bool { return strings.Contains(out.String(), "30 90") })
	// Job control: ^C ends the sleep, not the shell. One that comes before there is a sleep ends nothing.
	await(t, "the sleep to end", func() bool {
		say("\x03")
		return strings.Count(out.String(), "ready> ") > 1
	})
	must(t, pty.Setsize(master, &pty.Winsize{Rows: 41, Cols: 121}))
	say("echo again; until stty size | grep '^41 121'; do sleep 0.05; done; exit 12\n") // the size takes another way than what is typed
	done := make(chan int, 1)
	go func() { done <- wait() }()
	select {
	case code := <-done:
		if code != 12 {
			t.Errorf("exit %d", code)
		}
	case <-time.After(patience):
		t.Errorf("the shell did not exit: %q", clip(out.String()))
	}
}
