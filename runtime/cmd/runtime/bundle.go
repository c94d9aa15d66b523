package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/runtime/container"
)

// aboutBundle is the part of the help that create, run and plan share.
const aboutBundle = `ID names the container, by letters, digits and any of _ + . -, and must not be in use on this host.
The bundle is the current directory unless --bundle says otherwise. Without --bundle, a directory that
holds a config.json may stand in place of ID: it is the bundle, and its base name is the ID.`

// createFlags are the flags that create and run have in common.
func createFlags(o *container.CreateOptions) []flags.Flag {
	return []flags.Flag{
		bundleFlag(&o.Bundle),
		consoleSocketFlag(&o.ConsoleSocket),
		pidfdSocketFlag(&o.PidfdSocket),
		pidFileFlag(&o.PidFile),
		{Name: "no-pivot", Value: &o.NoPivot, Help: "do not use pivot_root to enter the root file system, which an initramfs refuses"},
		{Name: "no-new-keyring", Value: &o.NoNewKeyring, Help: "let the container keep the caller's session keyring"},
		preserveFDsFlag(&o.PreserveFDs, "from 3 up, behind those of LISTEN_FDS"),
	}
}

func bundleFlag(v *string) flags.Flag {
	return flags.Flag{Name: "bundle", Short: "b", Arg: "DIR", Files: flags.Dir, Value: v, Help: "the bundle's directory (default: the current directory)"}
}

func consoleSocketFlag(v *string) flags.Flag {
	return flags.Flag{Name: "console-socket", Arg: "SOCKET", Files: flags.File, Value: v, Help: "AF_UNIX socket that is sent the master end of the terminal"}
}

func pidfdSocketFlag(v *string) flags.Flag {
	return flags.Flag{Name: "pidfd-socket", Arg: "SOCKET", Files: flags.File, Value: v, Help: "AF_UNIX socket that is sent a pidfd of the process"}
}

func pidFileFlag(v *string) flags.Flag {
	return flags.Flag{Name: "pid-file", Arg: "FILE", Files: flags.File, Value: v, Help: "write the process id to FILE"}
}

func preserveFDsFlag(v *int, which string) flags.Flag {
	return flags.Flag{Name: "preserve-fds", Arg: "N", Value: v, Help: "hand on N more file descriptors, " + which + " (default: 0)"}
}

// resolveBundle settles id and bundle from --bundle and the one positional argument. Both meanings of
// the argument are only told apart when --bundle is not given.
func resolveBundle(arg, bundle string) (id, dir string, err error) {
	switch {
	case bundle != "":
	case isBundle(arg):
		return nameBundle(arg)
	case strings.Contains(arg, "/"):
		_, err = os.Stat(filepath.Join(arg, "config.json"))
		return "", "", fmt.Errorf("cannot find bundle %q: %w", arg, err)
	case !isBundle("."):
		return "", "", fmt.Errorf("cannot find a bundle: neither %q nor the current directory holds a config.json", arg)
	}
	dir, err = filepath.Abs(bundle) // "" is the current directory
	if err != nil {
		return "", "", fmt.Errorf("cannot find bundle %q: %w", bundle, err)
	}
	return arg, dir, nil
}

// nameBundle makes an id from the name of a bundle's directory.
func nameBundle(arg string) (id, dir string, err error) {
	dir, err = filepath.Abs(arg)
	if err != nil {
		return "", "", fmt.Errorf("cannot find bundle %q: %w", arg, err)
	}
	id = sanitiseID(filepath.Base(dir))
	if id == "" {
		return "", "", fmt.Errorf("cannot name a container after bundle %q: use --bundle and an id", arg)
	}
	return id, dir, nil
}

func isBundle(dir string) bool {
	st, err := os.Stat(filepath.Join(dir, "config.json"))
	return err == nil && dir != "" && st.Mode().IsRegular()
}

// sanitiseID keeps what a container id may hold and puts "-" for the rest; a name that cannot be one
// gives "".
func sanitiseID(name string) string {
	id := []byte(name)
	for i, c := range id {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '_', c == '+', c == '.', c == '-':
		default:
			id[i] = '-'
		}
	}
	if s := string(id); s != "." && s != ".." {
		return s
	}
	return ""
}
