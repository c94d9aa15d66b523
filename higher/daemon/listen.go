package daemon

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/dhow-containers/dhow/higher/config"
)

// groups may open the socket when no --group says who, the first that there is.
var groups = []string{"docker", "dhow"}

// Listen opens all sockets that the configuration names. On an error none stays.
func Listen(c *config.Config, log *slog.Logger) (all []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range all {
				l.Close()
			}
		}
	}()
	var secure *tls.Config
	if c.TLS.Enabled || c.TLS.Verify {
		if secure, err = tlsConfig(&c.TLS); err != nil {
			return nil, err
		}
	}
	for _, h := range c.Hosts {
		scheme, address, _ := strings.Cut(h, "://")
		var more []net.Listener
		switch scheme {
		case "unix":
			more, err = one(listenUnix(address, c.Group))
		case "tcp":
			if secure == nil {
				log.Warn("whoever can connect to this address is root on this host (--insecure-tcp)", "address", address)
			}
			more, err = one(listenTCP(address, secure))
		case "fd":
			more, err = inherited(address)
		}
		if err != nil {
			return all, fmt.Errorf("cannot listen on %s (--host): %w", h, err)
		}
		all = append(all, more...)
	}
	return all, nil
}

func one(l net.Listener, err error) ([]net.Listener, error) {
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

func listenTCP(address string, secure *tls.Config) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil || secure == nil {
		return l, err
	}
	return tls.NewListener(l, secure), nil
}

// listenUnix makes a socket that root and a group may open. What is left of a daemon that was killed is replaced; where
// somebody still answers, that is an error.
func listenUnix(path, group string) (net.Listener, error) {
	gid, err := groupID(group)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := replaceable(path); err != nil {
		return nil, err
	}
	old := syscall.Umask(0o777) // nobody connects before it has its group and mode
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, err
	}
	if err = os.Chown(path, 0, gid); err == nil {
		err = os.Chmod(path, 0o660)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// replaceable removes a socket on which nobody listens.
func replaceable(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != os.ModeSocket:
		return errors.New("there is a file of that name that is no socket")
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return errors.New("another daemon listens there")
	}
	return os.Remove(path)
}

// groupID finds a group by name or number; "" stands for the first of groups, and for root's where there is none.
func groupID(name string) (int, error) {
	if name == "" {
		for _, g := range groups {
			if id, err := groupID(g); err == nil {
				return id, nil
			}
		}
		return 0, nil
	}
	if id, err := strconv.Atoi(name); err == nil {
		return id, nil
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, fmt.Errorf("cannot find the group %s (--group): %w", name, err)
	}
	return strconv.Atoi(g.Gid)
}

// firstInherited is the first descriptor of sd_listen_fds(3).
const firstInherited = 3

// inherited are the sockets that a service manager has opened: all, or the one with a number ("4" of fd://4).
func inherited(number string) (all []net.Listener, err error) {
	if pid := os.Getenv("LISTEN_PID"); pid != strconv.Itoa(os.Getpid()) {
		return nil, errors.New("no sockets were passed (LISTEN_PID is not this process)")
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 1 {
		return nil, errors.New("no sockets were passed (LISTEN_FDS)")
	}
	for fd := firstInherited; fd < firstInherited+n; fd++ {
		if number != "" && number != strconv.Itoa(fd) {
			continue
		}
		f := os.NewFile(uintptr(fd), "LISTEN_FD_"+strconv.Itoa(fd))
		l, err := net.FileListener(f)
		f.Close()
		if err != nil {
			return all, fmt.Errorf("descriptor %d: %w", fd, err)
		}
		all = append(all, l)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("descriptor %s is none of the %d that were passed", number, n)
	}
	return all, nil
}
