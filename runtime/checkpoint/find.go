package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Find returns the path of the program criu.
func Find() (string, error) {
	path, err := lookPath("criu")
	if err == unix.ENOENT {
		return "", errors.New("cannot find the program criu: it is not in $PATH (install criu, 3.16 or newer)")
	}
	if err != nil {
		return "", fmt.Errorf("cannot find the program criu in $PATH: %w", err)
	}
	return path, nil
}

// lookPath looks a program up in $PATH as execvp(3) does. (Package os/exec would cost start-up time.)
func lookPath(name string) (string, error) {
	err := error(unix.ENOENT)
	for dir := range strings.SplitSeq(os.Getenv("PATH"), ":") {
		if !filepath.IsAbs(dir) { // never what happens to lie in the working directory
			continue
		}
		path := filepath.Join(dir, name)
		st, e := os.Stat(path)
		switch {
		case errors.Is(e, unix.ENOENT), errors.Is(e, unix.ENOTDIR):
		case e != nil:
			err = e
		case !st.Mode().IsRegular() || unix.Access(path, unix.X_OK) != nil:
			err = unix.EACCES
		default:
			return path, nil
		}
	}
	return "", err
}

// HasIPTables says whether the program is there that criu locks a container's network with unless it is told
// to use nftables.
func HasIPTables() bool {
	_, err := lookPath("iptables-restore")
	return err == nil
}
