package main

import (
	"os"
	"strconv"

	"github.com/dhow-containers/dhow/runtime/container"
)

// activated reads what a service manager says about the sockets it has opened for this process (sd_listen_fds(3)).
// Variables that are another process's are left alone.
func activated(o *container.CreateOptions) {
	pid, err := strconv.Atoi(os.Getenv("LISTEN_PID"))
	if err != nil || pid != os.Getpid() {
		return
	}
	if n, err := strconv.Atoi(os.Getenv("LISTEN_FDS")); err == nil && n > 0 {
		o.ListenFDs, o.ListenNames = n, os.Getenv("LISTEN_FDNAMES")
	}
}

// checkDescriptors finds out which descriptors the caller hands to the container, and that they are there.
func (a *app) checkDescriptors(o *container.CreateOptions) error {
	activated(o)
	return a.checkPreserved(o.ListenFDs, o.PreserveFDs)
}
