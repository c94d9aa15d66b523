package console

import "os"

// ForegroundOn is Foreground with other streams than the process's own.
func ForegroundOn(master, stdin, stdout *os.File) (*Session, error) {
	return foreground(int(master.Fd()), int(stdin.Fd()), int(stdout.Fd()))
}
