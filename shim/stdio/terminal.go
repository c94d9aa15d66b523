package stdio

import (
	"os"

	"golang.org/x/sys/unix"
)

// serve copies between the client and a terminal, whose master end it owns.
func (s *Streams) serve(master *os.File) error {
	if !s.terminal {
		master.Close()
		return errTerminal
	}
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	master.Close()
	if err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(fd), "terminal")
	s.mu.Lock()
	s.master = file
	s.mu.Unlock()
	if s.hub != nil {
		close(s.hub.ready)
	}
	s.copies = append(s.copies, startCopy(file, s.stdout))
	return nil
}
