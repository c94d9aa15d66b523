package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration/vm/job"
)

// agentUnit runs the agent when the system and the ordinary user's own systemd are up. The agent switches
// the machine off itself; FailureAction is for the case that it cannot.
const agentUnit = `[Unit]
Description=Tests of dhow
Wants=user@1000.service
After=user@1000.service systemd-logind.service dbus.service systemd-user-sessions.service
FailureAction=poweroff-force
SuccessAction=poweroff-force
[Service]
Type=exec
ExecStart=/dhow/guest agent
Environment=HOME=/root
Delegate=yes
TasksMax=infinity
LimitNOFILE=1048576
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
`

// bootSystemd puts the payload on the disk, which is thrown away later, and executes the init that is there.
func bootSystemd() error {
	disk, err := diskBySerial(job.RootDisk)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(newRoot, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(disk, newRoot, "ext4", unix.MS_NOATIME, "barrier=0"); err != nil {
		return fmt.Errorf("cannot mount %s: %w", disk, err)
	}
	if err := copyTree(newRoot+"/dhow", "/dhow"); err != nil {
		return fmt.Errorf("cannot copy the payload: %w", err)
	}
	units := newRoot + "/etc/systemd/system/"
	err = errors.Join(
		copyFile(newRoot+"/dhow/guest", "/init"),
		os.WriteFile(units+"dhow-test.service", []byte(agentUnit), 0o644),
		os.MkdirAll(units+"multi-user.target.wants", 0o755),
		os.Symlink("../dhow-test.service", units+"multi-user.target.wants/dhow-test.service"),
		switchRoot(newRoot))
	if err != nil {
		return err
	}
	return unix.Exec("/sbin/init", []string{"/sbin/init"}, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "container="})
}
