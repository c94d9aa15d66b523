package command

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxOutput is more than anything that is read here: a state with its annotations.
const maxOutput = 4 << 20

// memory is a file in memory.
type memory struct{ *os.File }

func newMemory(text []byte) (memory, error) {
	fd, err := unix.MemfdCreate("runtime", unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL { // before Linux 6.3
		fd, err = unix.MemfdCreate("runtime", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return memory{}, os.NewSyscallError("memfd_create", err)
	}
	m := memory{os.NewFile(uintptr(fd), "runtime")}
	if _, err := m.Write(text); err != nil {
		m.Close()
		return memory{}, err
	}
	return m, nil
}

// path is where others of this user open it.
func (m memory) path() string { return inProc(m.File) }

func inProc(f *os.File) string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd()) }

// read returns what is in it; what cannot be read is not there.
func (m memory) read() []byte {
	text, _ := io.ReadAll(io.NewSectionReader(m, 0, maxOutput))
	return text
}

// output is what the program itself has for standard streams.
type output struct {
	null           *os.File
	stdout, stderr memory
}

func newOutput() (o *output, err error) {
	o = &output{}
	if o.null, err = os.Open("/dev/null"); err != nil {
		return nil, err
	}
	if o.stdout, err = newMemory(nil); err == nil {
		o.stderr, err = newMemory(nil)
	}
	if err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *output) stdio() *[3]uintptr {
	return &[3]uintptr{o.null.Fd(), o.stdout.Fd(), o.stderr.Fd()}
}

func (o *output) close() {
	for _, f := range []*os.File{o.null, o.stdout.File, o.stderr.File} {
		f.Close() // nil is an error of it, no panic
	}
}
