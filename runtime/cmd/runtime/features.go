package main

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/seccomp"
	"github.com/dhow-containers/dhow/spec"
)

type featuresCommand struct{ noFlags }

func featuresVerb() *verb {
	return &verb{
		name:    "features",
		summary: "show what this program supports",
		about: `Prints the features object of the OCI runtime specification (features.md): what this program can do,
whatever the host it runs on; only the flags of seccomp are those of its kernel.`,
		new: func() command { return &featuresCommand{} },
	}
}

func (c *featuresCommand) run(a *app, _ []string) (int, error) {
	return 0, writeJSON(a.out, supported(), "    ")
}

func supported() *features.Features {
	f := &features.Features{
		OCIVersionMin: "1.0.0",
		OCIVersionMax: specs.Version,
		Hooks:         []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"},
		MountOptions:  spec.MountOptionNames(),
		Linux: &features.Linux{
			Namespaces:      []string{"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"},
			Capabilities:    capabilityNames(),
			Cgroup:          &features.Cgroup{V1: new(true), V2: new(true), Systemd: new(true), SystemdUser: new(true), Rdma: new(true)},
			Seccomp:         supportedSeccomp(),
			Apparmor:        &features.Apparmor{Enabled: new(true)},
			Selinux:         &features.Selinux{Enabled: new(true)},
			IntelRdt:        &features.IntelRdt{Enabled: new(true), Schemata: new(true), Monitoring: new(true)},
			MemoryPolicy:    &features.MemoryPolicy{Modes: spec.MemoryPolicyModes(), Flags: spec.MemoryPolicyFlags()},
			MountExtensions: &features.MountExtensions{IDMap: &features.IDMap{Enabled: new(true)}},
			NetDevices:      &features.NetDevices{Enabled: new(true)},
		},
		Annotations: map[string]string{
			"io.github.dhow-containers.runtime.version":  version,
			"org.opencontainers.runc.checkpoint.enabled": "true", // runc's name, which callers ask for
		},
		PotentiallyUnsafeConfigAnnotations: []string{"org.criu.config", "org.systemd.property."}, // a file that criu reads, properties of a unit
	}
	if v := seccomp.Version(); v != "" {
		f.Annotations["io.github.seccomp.libseccomp.version"] = v // as runc has it
	}
	if commit != "" {
		f.Annotations["io.github.dhow-containers.runtime.commit"] = commit
	}
	return f
}

// supportedSeccomp lists what libseccomp 2.5.4 knows. All but one of it is older than the kernels that this
// program runs on.
func supportedSeccomp() *features.Seccomp {
	known := []string{string(specs.LinuxSeccompFlagLog), string(specs.LinuxSeccompFlagSpecAllow), "SECCOMP_FILTER_FLAG_TSYNC",
		string(specs.LinuxSeccompFlagWaitKillableRecv)}
	flags := known
	if !knowsWaitKillable() {
		flags = known[:3]
	}
	return &features.Seccomp{
		Enabled: new(true),
		Actions: []string{
			"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
			"SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
		},
		Operators: []string{
			"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE",
		},
		Archs: []string{
			"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32",
			"SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
			"SCMP_ARCH_PPC", "SCMP_ARCH_PPC64",
			"SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_X32",
			"SCMP_ARCH_X86", "SCMP_ARCH_X86_64",
		},
		KnownFlags:     known,
		SupportedFlags: flags,
	}
}

// knowsWaitKillable asks the kernel whether it has SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19): it looks
// at the flags before the filter, which is none.
func knowsWaitKillable() bool {
	const setModeFilter = 1
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter,
		unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV|unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, 0)
	return errno == unix.EFAULT
}

// capabilityNames lists Linux's capabilities by number.
func capabilityNames() []string {
	var names []string
	for bit := range uint(unix.CAP_LAST_CAP + 1) {
		if name := spec.CapabilityName(bit); name != "" {
			names = append(names, name)
		}
	}
	return names
}
