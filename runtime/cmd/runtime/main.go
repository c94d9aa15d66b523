// Reading the cgroup files for a CPU limit costs every start; one thread does all the work here.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import "os"

// Filled in by the linker: -ldflags "-X main.version=… -X main.commit=…".
var (
	version = "0.1.0"
	commit  = ""
)

func main() {
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, open: openStore}
	os.Exit(a.main(os.Args[1:]))
}
