package stdio

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Loggers starts logging programs. The shim does, which reaps its children in one place.
type Loggers interface {
	// Start runs a program with these descriptors from 0 on.
	Start(argv, env []string, files []*os.File) (Logger, error)
}

// Logger is a logging program that runs.
type Logger interface {
	Close() // ends it, after it has seen the end of its input or has had the time for it
}

// readyLimit is how long a logging program may take to get ready.
const readyLimit = 10 * time.Second

// binary starts the program of a binary:// URI: stdout is its descriptor 3, stderr 4; it closes 5, or with
// binary-v2 writes a byte there, when it is ready.
func (s *Streams) binary(uri string, wantByte bool, o Options) error {
	argv, err := loggerArgs(uri)
	if err != nil {
		return err
	}
	var pipes [3][2]*os.File // stdout, stderr, ready
	defer func() {
		for _, p := range pipes {
			closeAll(p[:])
		}
	}()
	for i := range pipes {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			return os.NewSyscallError("pipe2", err)
		}
		if i == 2 {
			if err := unix.SetNonblock(p[0], true); err != nil {
				return err
			}
		}
		pipes[i] = [2]*os.File{os.NewFile(uintptr(p[0]), "pipe"), os.NewFile(uintptr(p[1]), "pipe")}
	}
	null, err := openAt("/dev/null", unix.O_RDWR)
	if err != nil {
		return err
	}
	defer null.Close()
	env := []string{"CONTAINER_ID=" + o.ID, "CONTAINER_NAMESPACE=" + o.Namespace}
	s.logger, err = o.Loggers.Start(argv, env, []*os.File{null, null, null, pipes[0][0], pipes[1][0], pipes[2][1]})
	if err != nil {
		return fmt.Errorf("cannot start the logging program: %w", err)
	}
	pipes[2][1].Close()
	pipes[2][1] = nil
	if err := awaitReady(pipes[2][0], wantByte); err != nil {
		return fmt.Errorf("cannot use the logging program %s: %w", argv[0], err)
	}
	return s.logTo(&pipes, o)
}

// logTo makes the pipes to the program the streams of the process, or of its terminal.
func (s *Streams) logTo(pipes *[3][2]*os.File, o Options) error {
	if s.terminal {
		s.stdout = &sink{file: pipes[0][1], users: 1}
		pipes[0][1] = nil
		return nil
	}
	for i := range 2 {
		w := pipes[i][1]
		if o.UID != 0 || o.GID != 0 {
			if err := w.Chown(o.UID, o.GID); err != nil {
				return err
			}
		}
		s.child[1+i], pipes[i][1] = w, nil
	}
	return nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}

// loggerArgs is the command line of binary:///path?key=value&key: each key and value is an argument.
func loggerArgs(uri string) ([]string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, fmt.Errorf("cannot use the logging program: %w", err)
	}
	argv, query := []string{u.Path}, u.Query()
	var keys []string
	for k := range query {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		argv = append(argv, k)
		if v := query.Get(k); v != "" {
			argv = append(argv, v)
		}
	}
	return argv, nil
}

func awaitReady(r *os.File, wantByte bool) error {
	if err := r.SetReadDeadline(time.Now().Add(readyLimit)); err != nil {
		return err
	}
	n, err := r.Read(make([]byte, 1))
	if os.IsTimeout(err) {
		return fmt.Errorf("it is not ready after %v", readyLimit)
	}
	if wantByte && n == 0 {
		return fmt.Errorf("it ended, or closed descriptor 5, before it was ready")
	}
	return nil
}
