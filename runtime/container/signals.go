package container

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// listener collects the signals that a foreground container is to get.
type listener struct {
	signals chan os.Signal
	done    chan struct{}
}

// listen begins to catch signals. The Go runtime switches threads twice for each, which for all of them
// takes as long as cloning a container, so it is done beside that; ready waits for it.
func listen() *listener {
	l := &listener{make(chan os.Signal, 64), make(chan struct{})}
	go func() {
		for s := unix.Signal(1); s < 65; s++ {
			if forwarded(s) {
				signal.Notify(l.signals, s)
			}
		}
		close(l.done)
	}()
	return l
}

// forwarded says whether a signal is the container's. Those are not that are about this process: its
// children, its terminal, its broken pipes, and the Go scheduler's own.
func forwarded(s unix.Signal) bool {
	switch s {
	case unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD, unix.SIGURG, unix.SIGWINCH, unix.SIGTTIN, unix.SIGTTOU, unix.SIGTSTP, unix.SIGPIPE:
		return false
	}
	return true
}

// ready returns when no signal can be missed any more.
func (l *listener) ready() {
	if l != nil {
		<-l.done
	}
}

// forward hands the signals on to the container's process.
func (l *listener) forward(pidfd int) {
	for sig := range l.signals {
		unix.PidfdSendSignal(pidfd, sig.(unix.Signal), nil, 0)
	}
}

// inheritSize gives a new terminal the size of the caller's, before anything runs in it.
func inheritSize(master *os.File) {
	if master == nil {
		return
	}
	if size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ); err == nil {
		unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, size)
	}
}
