//go:build failpoint

package container

import (
	"os"

	"golang.org/x/sys/unix"
)

// failpoint kills the daemon with SIGKILL when DHOW_FAILPOINT is "engine:NAME".
func failpoint(name string) {
	if os.Getenv("DHOW_FAILPOINT") == "engine:"+name {
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	}
}
