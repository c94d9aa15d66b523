// Command containerd-shim-dhow-v2 is a shim for containerd: io.containerd.dhow.v2. containerd runs it with `start` and
// `delete`; without either it is the server that `start` has begun.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/dhow-containers/dhow/shim/boot"
	"github.com/dhow-containers/dhow/shim/task"
)

type command struct {
	boot.Params
	bundle        string
	version, info bool
}

func main() {
	out, err := run(os.Args[1:])
	if err == nil {
		_, err = os.Stdout.Write(out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "containerd-shim-dhow-v2:", err)
		os.Exit(1)
	}
}

// run returns what goes to standard output, which containerd reads together with standard error: nothing else may.
func run(args []string) ([]byte, error) {
	c := &command{}
	action, err := c.parse(args)
	if err != nil {
		return nil, err
	}
	switch {
	case c.version:
		return []byte("containerd-shim-dhow-v2 " + task.Version + "\n"), nil
	case c.info:
		input, err := io.ReadAll(os.Stdin)
		if err != nil {
			return nil, err
		}
		return boot.Info(input)
	}
	if c.Namespace == "" {
		return nil, errors.New("cannot go on without -namespace")
	}
	if c.ID == "" {
		return nil, errors.New("cannot go on without -id")
	}
	c.TTRPCAddress = os.Getenv("TTRPC_ADDRESS")
	switch action {
	case "start":
		input, err := io.ReadAll(os.Stdin)
		if err != nil {
			return nil, err
		}
		return c.Start(input)
	case "delete":
		return c.Delete(c.bundle)
	case "":
		return nil, c.Serve()
	}
	return nil, fmt.Errorf("cannot do %q: the actions are start and delete", action)
}

// parse reads the command line that containerd gives to every shim.
func (c *command) parse(args []string) (action string, err error) {
	f := flag.NewFlagSet("containerd-shim-dhow-v2", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.Namespace, "namespace", "", "namespace of the container")
	f.StringVar(&c.ID, "id", "", "id of the container")
	f.StringVar(&c.Address, "address", "", "containerd's socket")
	f.StringVar(&c.bundle, "bundle", ".", "bundle of the container, for delete")
	f.BoolVar(&c.Debug, "debug", false, "log more")
	f.BoolVar(&c.version, "v", false, "print the version")
	f.BoolVar(&c.version, "version", false, "print the version")
	f.BoolVar(&c.info, "info", false, "print what the runtime is, for the options on standard input")
	f.StringVar(&c.PublishBinary, "publish-binary", "", "containerd's program, for events when there is no TTRPC_ADDRESS")
	if err := f.Parse(args); err != nil {
		return "", err
	}
	if f.NArg() > 1 {
		return "", fmt.Errorf("cannot do %q: one action is wanted", f.Args())
	}
	return f.Arg(0), nil
}
