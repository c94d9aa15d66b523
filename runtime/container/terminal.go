package container

import (
	"errors"
	"os"

	"github.com/dhow-containers/dhow/runtime/console"
	"github.com/dhow-containers/dhow/runtime/launch"
)

// connectConsole checks that a terminal has somebody to serve it.
func (m *making) connectConsole(detach bool) (err error) {
	terminal, path := m.doc.Spec.Process.Terminal, m.o.ConsoleSocket
	switch {
	case path != "" && !terminal:
		return errInvalid("cannot use --console-socket: process.terminal is false")
	case path != "" && !detach:
		return errInvalid("cannot use --console-socket: the terminal is served here unless --detach is given")
	case path == "" && terminal && detach:
		return errInvalid("cannot make a terminal (process.terminal): a detached container needs --console-socket, or process.terminal set to false")
	case path != "":
		m.sock, err = console.Connect(path)
	}
	return err
}

func (m *making) closeConsole() {
	if m.sock != nil {
		m.sock.Close()
	}
}

// takeTerminal receives the terminal's master end, for the caller's socket or for this process.
func (m *making) takeTerminal(r *launch.Request) error {
	master, err := received(r)
	if err != nil {
		return err
	}
	return m.keepMaster(master)
}

// keepMaster gives the terminal to the caller's socket, or keeps it to serve it here.
func (m *making) keepMaster(master *os.File) error {
	if m.sock == nil {
		if m.master = master; !m.raw {
			adjustTerminal(master)
		}
		return nil
	}
	defer master.Close()
	return console.Send(m.sock, master, "/dev/ptmx")
}

func received(r *launch.Request) (*os.File, error) {
	if len(r.FDs) != 1 {
		return nil, errors.New("internal error: the terminal did not arrive")
	}
	return os.NewFile(uintptr(r.FDs[0]), "/dev/ptmx"), nil
}
