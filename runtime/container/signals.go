package container

import (
	"os"
	"os/signal"
	"slices"

	"golang.org/x/sys/unix"
)

// listener collects the signals that a foreground container is to get.
type listener struct {
	signals chan os.Signal
	done    chan struct{}
}

// usual are the signals that people and supervisors send.
var usual = [...]unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2,
	unix.SIGCONT, unix.SIGALRM, unix.SIGPWR}

// listen begins to catch signals. The Go runtime switches threads twice for each, which for all sixty takes
// as long as making the container. So the usual ones are caught beside that, and ready waits for them; the
// rest follow in forward, when the container runs.
func listen() *listener {
	l := &listener{make(chan os.Signal, 64), make(chan struct{})}
	go func() {
		for _, s := range usual {
			signal.Notify(l.signals, s)
		}
		close(l.done)
	}()
	return l
}

// ready returns when none of the usual signals can be missed any more.
func (l *listener) ready() {
	if l != nil {
		<-l.done
	}
}

// moment is for how long a container must have run, in milliseconds, to be worth the rest of the signals.
const moment = 5

// forward hands the signals on to the container's process.
func (l *listener) forward(pidfd int) {
	if waitDead(pidfd, moment) {
		return
	}
	for s := unix.Signal(1); s < 65; s++ {
		if forwarded(s) && !slices.Contains(usual[:], s) {
			signal.Notify(l.signals, s)
		}
	}
	for sig := range l.signals {
		unix.PidfdSendSignal(pidfd, sig.(unix.Signal), nil, 0)
	}
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

// adjustTerminal fits a new terminal to the caller's standard streams, before anything runs in it: it gets the
// size of the caller's, and when the output does not go to a terminal, but to a file or another program, lines
// end there as they do in files.
func adjustTerminal(master *os.File) {
	if master == nil {
		return
	}
	if _, err := unix.IoctlGetTermios(1, unix.TCGETS); err != nil {
		if t, err := unix.IoctlGetTermios(int(master.Fd()), unix.TCGETS); err == nil {
			t.Oflag &^= unix.ONLCR
			unix.IoctlSetTermios(int(master.Fd()), unix.TCSETS, t)
		}
	}
	if size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ); err == nil {
		unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, size)
	}
}
