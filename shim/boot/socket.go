package boot

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/socket"
)

// socketRoot is where containerd's shims have their sockets.
const socketRoot = "/run/containerd/s"

// socketPath is the path that all shims of a group have in common. It is a hash, as sun_path is short (unix(7)).
func (p *Params) socketPath(group string) string {
	dir := p.SocketDir
	if dir == "" {
		dir = socketRoot
	}
	sum := sha256.Sum256([]byte(filepath.Join(p.Address, p.Namespace, group)))
	return filepath.Join(dir, hex.EncodeToString(sum[:]))
}

// Listen makes the socket that a shim is given.
func Listen(path string) (int, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return -1, err
	}
	return socket.Listen(path, unix.SOCK_STREAM)
}

// Served says whether a shim listens on a socket.
func Served(path string) bool { return socket.Served(path, unix.SOCK_STREAM) }
