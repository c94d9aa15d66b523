package console

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// termios reads a terminal's settings; it fails when fd is not a terminal.
func termios(fd int) (*unix.Termios, error) { return unix.IoctlGetTermios(fd, unix.TCGETS) }

// makeRaw has the terminal hand on every byte as it is typed, and writes through as they come: what
// cfmakeraw(3) does. It returns the settings to go back to.
func makeRaw(fd int) (*unix.Termios, error) {
	old, err := termios(fd)
	if err != nil {
		return nil, fmt.Errorf("cannot read the terminal's settings: %w", err)
	}
	raw := *old
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Oflag &^= unix.OPOST
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag &^= unix.CSIZE | unix.PARENB
	raw.Cflag |= unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if err := setTermios(fd, &raw); err != nil {
		return nil, fmt.Errorf("cannot make the terminal raw: %w", err)
	}
	return old, nil
}

func setTermios(fd int, t *unix.Termios) error {
	for {
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != unix.EINTR {
			return err
		}
	}
}

// copySize gives the terminal to the size of the terminal from.
func copySize(from, to int) error {
	size, err := unix.IoctlGetWinsize(from, unix.TIOCGWINSZ)
	if err != nil {
		return fmt.Errorf("cannot read the terminal's size: %w", err)
	}
	if err := unix.IoctlSetWinsize(to, unix.TIOCSWINSZ, size); err != nil {
		return fmt.Errorf("cannot set the terminal's size: %w", err)
	}
	return nil
}
