package spec

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// SeccompAction returns the SECCOMP_RET_ value of an action (linux/seccomp.h), without the data that ERRNO and
// TRACE carry. SCMP_ACT_KILL is what it has always been: the end of the thread.
func SeccompAction(a specs.LinuxSeccompAction) (ret uint32, ok bool) {
	return find(seccompActions[:], string(a))
}

var seccompActions = [...]entry[uint32]{
	{"SCMP_ACT_ALLOW", unix.SECCOMP_RET_ALLOW},
	{"SCMP_ACT_ERRNO", unix.SECCOMP_RET_ERRNO},
	{"SCMP_ACT_KILL", unix.SECCOMP_RET_KILL_THREAD},
	{"SCMP_ACT_KILL_PROCESS", unix.SECCOMP_RET_KILL_PROCESS},
	{"SCMP_ACT_KILL_THREAD", unix.SECCOMP_RET_KILL_THREAD},
	{"SCMP_ACT_LOG", unix.SECCOMP_RET_LOG},
	{"SCMP_ACT_NOTIFY", unix.SECCOMP_RET_USER_NOTIF},
	{"SCMP_ACT_TRACE", unix.SECCOMP_RET_TRACE},
	{"SCMP_ACT_TRAP", unix.SECCOMP_RET_TRAP},
}

// SeccompArch returns the AUDIT_ARCH_ value of an architecture (linux/audit.h). x32 has that of x86-64: its calls
// differ by a bit in the number.
func SeccompArch(a specs.Arch) (audit uint32, ok bool) { return find(seccompArches[:], string(a)) }

// auditN32 is __AUDIT_ARCH_CONVENTION_MIPS64_N32.
const auditN32 = 0x20000000

var seccompArches = [...]entry[uint32]{
	{"SCMP_ARCH_AARCH64", unix.AUDIT_ARCH_AARCH64},
	{"SCMP_ARCH_ARM", unix.AUDIT_ARCH_ARM},
	{"SCMP_ARCH_LOONGARCH64", unix.AUDIT_ARCH_LOONGARCH64},
	{"SCMP_ARCH_M68K", unix.AUDIT_ARCH_M68K},
	{"SCMP_ARCH_MIPS", unix.AUDIT_ARCH_MIPS},
	{"SCMP_ARCH_MIPS64", unix.AUDIT_ARCH_MIPS64},
	{"SCMP_ARCH_MIPS64N32", unix.AUDIT_ARCH_MIPS64 | auditN32},
	{"SCMP_ARCH_MIPSEL", unix.AUDIT_ARCH_MIPSEL},
	{"SCMP_ARCH_MIPSEL64", unix.AUDIT_ARCH_MIPSEL64},
	{"SCMP_ARCH_MIPSEL64N32", unix.AUDIT_ARCH_MIPSEL64 | auditN32},
	{"SCMP_ARCH_PARISC", unix.AUDIT_ARCH_PARISC},
	{"SCMP_ARCH_PARISC64", unix.AUDIT_ARCH_PARISC64},
	{"SCMP_ARCH_PPC", unix.AUDIT_ARCH_PPC},
	{"SCMP_ARCH_PPC64", unix.AUDIT_ARCH_PPC64},
	{"SCMP_ARCH_PPC64LE", unix.AUDIT_ARCH_PPC64LE},
	{"SCMP_ARCH_RISCV64", unix.AUDIT_ARCH_RISCV64},
	{"SCMP_ARCH_S390", unix.AUDIT_ARCH_S390},
	{"SCMP_ARCH_S390X", unix.AUDIT_ARCH_S390X},
	{"SCMP_ARCH_SH", unix.AUDIT_ARCH_SHEL},
	{"SCMP_ARCH_SHEB", unix.AUDIT_ARCH_SH},
	{"SCMP_ARCH_X32", unix.AUDIT_ARCH_X86_64},
	{"SCMP_ARCH_X86", unix.AUDIT_ARCH_I386},
	{"SCMP_ARCH_X86_64", unix.AUDIT_ARCH_X86_64},
}

// SeccompFlag returns the SECCOMP_FILTER_FLAG_ bit of seccomp(2).
func SeccompFlag(f specs.LinuxSeccompFlag) (flag uint64, ok bool) {
	return find(seccompFlags[:], string(f))
}

var seccompFlags = [...]entry[uint64]{
	{"SECCOMP_FILTER_FLAG_LOG", unix.SECCOMP_FILTER_FLAG_LOG},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	{"SECCOMP_FILTER_FLAG_TSYNC", unix.SECCOMP_FILTER_FLAG_TSYNC},
	{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
}

// seccompOperators holds how many of value and valueTwo an operator reads.
var seccompOperators = [...]entry[int]{
	{"SCMP_CMP_EQ", 1},
	{"SCMP_CMP_GE", 1},
	{"SCMP_CMP_GT", 1},
	{"SCMP_CMP_LE", 1},
	{"SCMP_CMP_LT", 1},
	{"SCMP_CMP_MASKED_EQ", 2},
	{"SCMP_CMP_NE", 1},
}
