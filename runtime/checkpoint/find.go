package checkpoint

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/internal/lookpath"
)

// Find returns the path of the program criu.
func Find() (string, error) {
	path, err := lookpath.Find("criu")
	if err == unix.ENOENT {
		return "", errors.New("cannot find the program criu: it is not in $PATH (install criu, 3.16 or newer)")
	}
	if err != nil {
		return "", fmt.Errorf("cannot find the program criu in $PATH: %w", err)
	}
	return path, nil
}

// HasIPTables says whether the program is there that criu locks a container's network with unless it is told
// to use nftables.
func HasIPTables() bool {
	_, err := lookpath.Find("iptables-restore")
	return err == nil
}
