package libseccomp

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	lib "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// arch is an architecture of the filter.
type arch struct {
	lib   lib.ScmpArch
	audit uint32 // AUDIT_ARCH_* (linux/audit.h), what struct seccomp_data says
	name  string // as the profile spells it
	at    string // JSON pointer
}

// knownArch holds what the specification's names mean. libseccomp's own tokens are AUDIT_ARCH_* values
// but for x32, which the kernel reports as x86_64 with a bit in the system call number.
var knownArch = map[specs.Arch]arch{
	specs.ArchX86:         {lib: lib.ArchX86, audit: unix.AUDIT_ARCH_I386},
	specs.ArchX86_64:      {lib: lib.ArchAMD64, audit: unix.AUDIT_ARCH_X86_64},
	specs.ArchX32:         {lib: lib.ArchX32, audit: unix.AUDIT_ARCH_X86_64},
	specs.ArchARM:         {lib: lib.ArchARM, audit: unix.AUDIT_ARCH_ARM},
	specs.ArchAARCH64:     {lib: lib.ArchARM64, audit: unix.AUDIT_ARCH_AARCH64},
	specs.ArchMIPS:        {lib: lib.ArchMIPS, audit: unix.AUDIT_ARCH_MIPS},
	specs.ArchMIPS64:      {lib: lib.ArchMIPS64, audit: unix.AUDIT_ARCH_MIPS64},
	specs.ArchMIPS64N32:   {lib: lib.ArchMIPS64N32, audit: unix.AUDIT_ARCH_MIPS64N32},
	specs.ArchMIPSEL:      {lib: lib.ArchMIPSEL, audit: unix.AUDIT_ARCH_MIPSEL},
	specs.ArchMIPSEL64:    {lib: lib.ArchMIPSEL64, audit: unix.AUDIT_ARCH_MIPSEL64},
	specs.ArchMIPSEL64N32: {lib: lib.ArchMIPSEL64N32, audit: unix.AUDIT_ARCH_MIPSEL64N32},
	specs.ArchPPC:         {lib: lib.ArchPPC, audit: unix.AUDIT_ARCH_PPC},
	specs.ArchPPC64:       {lib: lib.ArchPPC64, audit: unix.AUDIT_ARCH_PPC64},
	specs.ArchPPC64LE:     {lib: lib.ArchPPC64LE, audit: unix.AUDIT_ARCH_PPC64LE},
	specs.ArchS390:        {lib: lib.ArchS390, audit: unix.AUDIT_ARCH_S390},
	specs.ArchS390X:       {lib: lib.ArchS390X, audit: unix.AUDIT_ARCH_S390X},
	specs.ArchPARISC:      {lib: lib.ArchPARISC, audit: unix.AUDIT_ARCH_PARISC},
	specs.ArchPARISC64:    {lib: lib.ArchPARISC64, audit: unix.AUDIT_ARCH_PARISC64},
	specs.ArchRISCV64:     {lib: lib.ArchRISCV64, audit: unix.AUDIT_ARCH_RISCV64},
	specs.ArchLOONGARCH64: {lib: lib.ArchLOONGARCH64, audit: unix.AUDIT_ARCH_LOONGARCH64},
	specs.ArchM68K:        {lib: lib.ArchM68K, audit: unix.AUDIT_ARCH_M68K},
	specs.ArchSH:          {lib: lib.ArchSH, audit: unix.AUDIT_ARCH_SHEL},
	specs.ArchSHEB:        {lib: lib.ArchSHEB, audit: unix.AUDIT_ARCH_SH},
}

// parseArches returns the architectures of the filter: the native one first, always, then those of the
// profile. The rest of the world gets KILL_PROCESS.
func parseArches(names []specs.Arch) ([]arch, error) {
	native, err := nativeArch()
	if err != nil {
		return nil, err
	}
	arches := []arch{native}
	seen := map[lib.ScmpArch]bool{native.lib: true}
	for i, name := range names {
		at := fmt.Sprintf("/linux/seccomp/architectures/%d", i)
		a, ok := knownArch[name]
		if !ok {
			return nil, fmt.Errorf("%s: unknown architecture %q", at, name)
		}
		if seen[a.lib] {
			continue
		}
		seen[a.lib] = true
		a.name, a.at = string(name), at
		arches = append(arches, a)
	}
	return arches, nil
}

func nativeArch() (arch, error) {
	native, err := lib.GetNativeArch()
	if err != nil {
		return arch{}, fmt.Errorf("cannot tell the native architecture: %w", err)
	}
	for name, a := range knownArch {
		if a.lib == native {
			a.name, a.at = string(name), "/linux/seccomp/architectures"
			return a, nil
		}
	}
	return arch{}, fmt.Errorf("internal error: native architecture %v is unknown", native)
}
