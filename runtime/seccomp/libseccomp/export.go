package libseccomp

import (
	"fmt"
	"io"
	"os"

	lib "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// export returns the program of a filter. seccomp_export_bpf_mem(3) needs libseccomp 2.6, so it goes
// through a file in memory.
func export(filter *lib.ScmpFilter) (insns []byte, err error) {
	fd, err := unix.MemfdCreate("seccomp", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot make a file in memory: memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "memfd:seccomp")
	defer f.Close() // nothing is buffered and nothing is kept: no error here matters
	if err := filter.ExportBPF(f); err != nil {
		return nil, fmt.Errorf("cannot generate the filter: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("cannot read the filter: %w", err)
	}
	if insns, err = io.ReadAll(f); err != nil {
		return nil, fmt.Errorf("cannot read the filter: %w", err)
	}
	return insns, nil
}
