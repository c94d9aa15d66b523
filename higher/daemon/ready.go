package daemon

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// readyVariable names a descriptor that dhowd writes a byte to, and closes, once it serves: `dhow` waits for it when it
// has started the daemon.
const readyVariable = "DHOW_READY_FD"

// Ready tells those who wait that the daemon serves: a service manager, and who has left a descriptor.
func Ready() error {
	if err := notify("READY=1"); err != nil {
		return err
	}
	value := os.Getenv(readyVariable)
	if value == "" {
		return nil
	}
	os.Unsetenv(readyVariable)
	fd, err := strconv.Atoi(value)
	if err != nil || fd < 3 {
		return fmt.Errorf("cannot use %s=%s: it must be the number of a descriptor above 2", readyVariable, value)
	}
	f := os.NewFile(uintptr(fd), readyVariable)
	_, err = f.Write([]byte("1"))
	f.Close()
	if err != nil {
		return fmt.Errorf("cannot tell that the daemon is ready: %w", err)
	}
	return nil
}

// Stopping tells a service manager that the daemon is about to end.
func Stopping() error { return notify("STOPPING=1") }

// notify is sd_notify(3).
func notify(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("cannot notify the service manager: %w", err)
	}
	defer c.Close()
	_, err = c.Write([]byte(state))
	return err
}
