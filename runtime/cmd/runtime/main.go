// What the Go runtime does about CPU limits is of no use to a program that lives for milliseconds. It
// reads the cgroup's files at every start all the same (go1.26, runtime.defaultGOMAXPROCSInit), but with
// containermaxprocs=0 it closes them again, so that --preserve-fds cannot mean them, and with
// updatemaxprocs=0 it starts no goroutine to watch the limit.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"os"

	"github.com/dhow-containers/dhow/runtime/container"
)

// Filled in by the linker: -ldflags "-X main.version=… -X main.commit=…".
var (
	version = "0.1.0"
	commit  = ""
)

func main() {
	if len(os.Args) == 1 && os.Args[0] == container.CopierName {
		os.Exit(container.Copy())
	}
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, inherit: inherit, open: openStore}
	os.Exit(a.main(os.Args[1:]))
}
