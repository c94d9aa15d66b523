package plan

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// securityModules refuses labels that nothing on this host would enforce.
func (c *compiler) securityModules() error {
	if l := c.linux.MountLabel; l != "" && !c.in.Host.SELinux {
		return fmt.Errorf("cannot label mounts with %q (linux.mountLabel): %s", l, noSELinux)
	}
	if len(c.linux.MountLabel) >= maxOption {
		return fmt.Errorf("cannot label mounts (linux.mountLabel): the label is longer than the kernel takes (%d bytes)", maxOption-1)
	}
	p := c.cfg.Process
	switch {
	case p == nil:
	case p.SelinuxLabel != "" && !c.in.Host.SELinux:
		return fmt.Errorf("cannot run with the label %q (process.selinuxLabel): %s", p.SelinuxLabel, noSELinux)
	case p.ApparmorProfile != "" && !c.in.Host.AppArmor:
		return fmt.Errorf("cannot run under the profile %q (process.apparmorProfile): AppArmor is not enabled on this host", p.ApparmorProfile)
	}
	return nil
}

const noSELinux = "SELinux is disabled on this host, or not supported"

// labelled says whether execve is to change the process's security context.
func (c *compiler) labelled() bool {
	p := c.cfg.Process
	return p != nil && (p.ApparmorProfile != "" || p.SelinuxLabel != "")
}

// labelField is the field that changes the security context.
func (c *compiler) labelField() string {
	if c.cfg.Process.ApparmorProfile != "" {
		return "process.apparmorProfile"
	}
	return "process.selinuxLabel"
}

// execLabels asks for the security context that the process gets by its execve (apparmor(7),
// setexeccon(3)). It is done while the detached procfs is open; the request lasts until then.
func (c *compiler) execLabels() {
	p := c.cfg.Process
	if p == nil {
		return
	}
	if p.ApparmorProfile != "" {
		c.doing("run under the AppArmor profile "+p.ApparmorProfile, "process.apparmorProfile")
		c.writeProc("self/attr/apparmor/exec", "exec "+p.ApparmorProfile)
	}
	if p.SelinuxLabel != "" {
		c.doing("run with the SELinux label "+p.SelinuxLabel, "process.selinuxLabel")
		c.writeProc("self/attr/exec", p.SelinuxLabel)
	}
}

// labelledKeyring has the keys that make makes carry the process's label (setkeycreatecon(3)).
func (c *compiler) labelledKeyring(make func()) {
	if c.cfg.Process == nil || c.cfg.Process.SelinuxLabel == "" {
		make()
		return
	}
	label := func(value string) {
		c.doing("label the session keyring", "process.selinuxLabel")
		c.writeProc("self/attr/keycreate", value)
	}
	label(c.cfg.Process.SelinuxLabel)
	make()
	label("")
}

// labelOption is what gives a file system that is about to be made linux.mountLabel for all of its files, where the
// file system takes one.
func (c *compiler) labelOption(fstype string) []option {
	switch fstype {
	case "proc", "sysfs", "mqueue", "cgroup", "cgroup2":
		return nil
	}
	if c.linux.MountLabel == "" {
		return nil
	}
	return []option{{key: "context", value: c.linux.MountLabel, field: "linux.mountLabel"}}
}

func (c *compiler) labelFS(fs Arg, fstype string) {
	for _, o := range c.labelOption(fstype) {
		c.fsconfig(fs, o)
	}
}

// labelMQueue labels the root directory of a new mqueue mount.
func (c *compiler) labelMQueue(made Arg) {
	label := c.linux.MountLabel
	c.doing("label the message queues with "+label, "linux.mountLabel")
	dir := c.openat(made, ".", unix.O_RDONLY|unix.O_DIRECTORY).save().arg()
	c.call(unix.SYS_FSETXATTR, dir, str("security.selinux"), str(label), num(uint64(len(label))), num(0))
	c.close(dir)
}
