package libseccomp

import (
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	lib "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// System calls newer than the profile
//
// A program that meets a kernel without some new system call gets ENOSYS and falls back to an old one.
// A profile written before the call existed makes that its default action, say EPERM, and the program
// takes it for a refusal. So, as in runc since 1.0 (opencontainers/runc#2750), a prelude before
// libseccomp's program answers ENOSYS to every number above the largest that the profile names for
// the architecture. Whether a rule allows or refuses that number does not matter: its author knew it.
//
// There is no prelude when the default action lets calls through (ALLOW, LOG), gives them to a tracer,
// which ought to know new calls itself (TRACE), or is ENOSYS already; none for an architecture of which
// the profile names no call.
//
// The prelude has one section for each architecture, the native one first:
//
//	     ld  arch
//	     jeq #ARCH, , next            each section; next is where the following one starts
//	     ld  nr
//	     jgt #last, , filter
//	     ret #ERRNO(ENOSYS)
//	next:
//
// and falls, or jumps, to filter, the first instruction of libseccomp's program, which loads what it
// needs anew. Three architectures have numbers of their own kind:
//
//	x86_64 and x32 (one ARCH; bit 30 of nr tells)       arm (calls of the port, from 0xf0000)
//
//	     ld  nr                                              ld  nr
//	     jgt #last64, , filter                               jgt #last, , filter
//	     jset #0x40000000, , enosys                          jge #0xf0000, filter,
//	     jgt #lastx32, enosys, filter                        ret #ERRNO(ENOSYS)
//	enosys:
//	     ret #ERRNO(ENOSYS)
//
// A filter without one of the two x86_64 ABIs jumps to filter for its numbers: libseccomp's program
// refuses them, as it does every foreign architecture. s390 and s390x have "jeq #0, enosys," before jgt:
// their kernel reports 0 for a number that it does not know.
//
// Only loads of nr and arch, jumps and returns: the kernel's list of calls that are always allowed
// (Linux 5.11) is made by running the program with nothing else known.

// Numbers that are not part of a table's sequence.
const (
	x32Bit     = 0x40000000 // __X32_SYSCALL_BIT
	armPrivate = 0x0f0000   // __ARM_NR_BASE
)

// newest holds the largest numbers that the profile names, for one AUDIT_ARCH_* value; -1 for none.
type newest struct {
	audit uint32
	last  int64 // of every ABI but x32
	x32   int64
}

// withENOSYS returns insns behind the prelude, or alone if the profile wants none.
func withENOSYS(insns []byte, defAct lib.ScmpAction, arches []arch, calls []specs.LinuxSyscall) []byte {
	switch kind(defAct) {
	case lib.ActAllow, lib.ActLog, lib.ActTrace:
		return insns
	case lib.ActErrno:
		if defAct.GetReturnCode() == int16(unix.ENOSYS) {
			return insns
		}
	}
	return append(prelude(newestCalls(arches, calls)), insns...)
}

// newestCalls looks up every name of the profile on every architecture.
func newestCalls(arches []arch, calls []specs.LinuxSyscall) []newest {
	var list []newest
	place := map[uint32]int{}
	for _, a := range arches {
		i, ok := place[a.audit]
		if !ok {
			i = len(list)
			place[a.audit] = i
			list = append(list, newest{audit: a.audit, last: -1, x32: -1})
		}
		last := &list[i].last
		if a.lib == lib.ArchX32 {
			last = &list[i].x32
		}
		for j := range calls {
			for _, name := range calls[j].Names {
				*last = max(*last, number(name, a))
			}
		}
	}
	return list
}

// number is the number of a system call, -1 if the architecture lacks it or gives it one out of sequence.
func number(name string, a arch) int64 {
	if strings.ContainsRune(name, 0) {
		return -1
	}
	call, err := lib.GetSyscallFromNameByArch(name, a.lib)
	if err != nil || call < 0 || a.audit == unix.AUDIT_ARCH_ARM && call >= armPrivate {
		return -1
	}
	return int64(call)
}
