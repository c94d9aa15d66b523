package spec

import specs "github.com/opencontainers/runtime-spec/specs-go"

// ValidateSeccomp checks a seccomp profile against config-linux.md, "Seccomp". It returns nil or a *Problems
// whose pointers are relative to the profile.
//
// Names of system calls are not checked: a profile names calls of all kernels and architectures, and those that
// this one does not have cannot be made.
func ValidateSeccomp(profile *specs.LinuxSeccomp) error {
	c := checker{}
	p := root.at("defaultAction")
	c.seccompAction(&p, profile.DefaultAction)
	if profile.DefaultAction == specs.ActNotify {
		c.add(&p, "SCMP_ACT_NOTIFY cannot be used as default action")
	}
	p = root.at("defaultErrnoRet")
	c.errnoRet(&p, profile.DefaultAction, profile.DefaultErrnoRet)
	p = root.at("architectures")
	for i, arch := range profile.Architectures {
		item := p.item(i)
		if _, ok := SeccompArch(arch); !ok {
			c.add(&item, "unknown architecture %q", arch)
		}
	}
	p = root.at("flags")
	flags(&c, &p, profile.Flags, "seccomp flag", SeccompFlag)
	p = root.at("listenerPath")
	c.listener(&p, profile)
	p = root.at("syscalls")
	for i := range profile.Syscalls {
		item := p.item(i)
		c.seccompRule(&item, &profile.Syscalls[i])
	}
	return c.result("seccomp profile")
}

func (c *checker) seccompAction(p *path, action specs.LinuxSeccompAction) {
	if action == "" {
		c.add(p, "required")
	} else if _, ok := SeccompAction(action); !ok {
		c.add(p, "unknown action %q", action)
	}
}

// errnoRet wants an error number with ERRNO, or 16 bits of data with TRACE, and nothing with other actions.
func (c *checker) errnoRet(p *path, action specs.LinuxSeccompAction, errno *uint) {
	if errno == nil {
		return
	}
	const maxErrno = 4095 // MAX_ERRNO of linux/err.h; the kernel would cut a larger number down
	switch action {
	case specs.ActErrno:
		if *errno > maxErrno {
			c.add(p, "%d is not between 0 and %d", *errno, maxErrno)
		}
	case specs.ActTrace:
		if *errno > 0xffff {
			c.add(p, "%d is not between 0 and 65535", *errno)
		}
	default:
		c.add(p, "action %s does not take an error number", action)
	}
}

// listener checks what becomes of SCMP_ACT_NOTIFY.
func (c *checker) listener(p *path, profile *specs.LinuxSeccomp) {
	c.text(p, profile.ListenerPath)
	notifies := false
	for i := range profile.Syscalls {
		notifies = notifies || profile.Syscalls[i].Action == specs.ActNotify
	}
	if notifies && profile.ListenerPath == "" {
		c.add(p, "required by action SCMP_ACT_NOTIFY")
	}
	metadata := root.at("listenerMetadata")
	if profile.ListenerMetadata != "" && profile.ListenerPath == "" {
		c.add(&metadata, "cannot be set without listenerPath")
	}
}

// seccompRule checks one rule. Notifying of write(2), as making it the default, is refused as by runc, which needs the
// call itself before anybody serves the listener: a profile means the same to both.
func (c *checker) seccompRule(p *path, rule *specs.LinuxSyscall) {
	place := p.at("names")
	if len(rule.Names) == 0 {
		c.add(&place, "at least one element is required")
	}
	for i, name := range rule.Names {
		item := place.item(i)
		if name == "" {
			c.add(&item, "the name of a system call is required")
		}
		if name == "write" && rule.Action == specs.ActNotify {
			c.add(&item, "SCMP_ACT_NOTIFY cannot be used for the write syscall")
		}
	}
	place = p.at("action")
	c.seccompAction(&place, rule.Action)
	place = p.at("errnoRet")
	c.errnoRet(&place, rule.Action, rule.ErrnoRet)
	place = p.at("args")
	for i := range rule.Args {
		item := place.item(i)
		c.seccompArg(&item, &rule.Args[i])
	}
}

func (c *checker) seccompArg(p *path, arg *specs.LinuxSeccompArg) {
	place := p.at("index")
	if arg.Index > 5 {
		c.add(&place, "%d is not between 0 and 5", arg.Index)
	}
	place = p.at("op")
	if arg.Op == "" {
		c.add(&place, "required")
	} else if _, ok := find(seccompOperators[:], string(arg.Op)); !ok {
		c.add(&place, "unknown operator %q", arg.Op)
	}
}
