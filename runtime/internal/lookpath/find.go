// Package lookpath finds the programs that the runtime has do some of its work, in $PATH as execvp(3) does. Package
// os/exec would cost start-up time.
package lookpath

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Find returns the path of the program.
//
// Errors: unix.ENOENT when $PATH has none, unix.EACCES when what it has cannot be executed.
func Find(name string) (string, error) {
	err := error(unix.ENOENT)
	for dir := range strings.SplitSeq(os.Getenv("PATH"), ":") {
		if !filepath.IsAbs(dir) { // whoever can write to the working directory is not asked
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
