package plan

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Filter is a compiled seccomp profile.
type Filter struct {
	Insns  []byte    // struct sock_filter array
	Flags  uint      // SECCOMP_FILTER_FLAG_*
	Notify bool      // it has SCMP_ACT_NOTIFY: the parent gets the listener
	Pass   [2]uint64 // random, with Notify: see gate
}

// LoadFlags are the SECCOMP_FILTER_FLAG_* that seccomp(2) gets.
func (f *Filter) LoadFlags() uint {
	if f.Notify {
		return f.Flags | unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
	}
	return f.Flags
}

// seccomp loads the filter (seccomp(2)); from here on only what it allows can be called.
func (c *compiler) seccomp() {
	f := c.in.Filter
	if f == nil {
		return
	}
	const setModeFilter = 1
	insns := f.Insns
	if f.Notify {
		insns = append(gate(f.Pass), insns...)
	}
	c.doing("load the seccomp filter", "linux.seccomp")
	prog := &Mem{Data: make([]byte, 16), Refs: []Ref{{Off: 8, To: &Mem{Data: insns}}}}
	binary.NativeEndian.PutUint16(prog.Data, uint16(len(insns)/8))
	load := c.call(unix.SYS_SECCOMP, num(setModeFilter), num(uint64(f.LoadFlags())), ptr(prog))
	if f.Notify {
		listener := load.save().arg()
		c.doing("hand over the seccomp listener", ListenerField)
		c.send(ListenerMessage, []Arg{num(f.Pass[0]), num(f.Pass[1])}, listener)
	}
}

// ListenerField is the field of the steps that hand the listener over.
const ListenerField = "linux.seccomp.listenerPath"

// GateInsns is how many instructions a filter with SCMP_ACT_NOTIFY gets in front of its own.
const GateInsns = 13

// gate is what lets the listener out: instructions in front of the filter that allow sendmsg(2) when its
// fourth and fifth argument, which the call does not have, are the pass. The filter is in force when the
// listener has to be sent, and nobody serves it yet: a sendmsg that it denies or notifies of would never
// get anywhere. The pass is random for each process, and gone from its memory with the execve after it; the
// kernel keeps it where the container cannot read it, so that afterwards the filter alone decides.
func gate(pass [2]uint64) []byte {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		ret   = unix.BPF_RET | unix.BPF_K
		nr    = 0 // offsets in struct seccomp_data (linux/seccomp.h)
		arch  = 4
		args  = 16
	)
	words := [...]struct{ off, value uint32 }{
		{nr, unix.SYS_SENDMSG}, {arch, unix.AUDIT_ARCH_X86_64},
		{args + 3*8, uint32(pass[0])}, {args + 3*8 + 4, uint32(pass[0] >> 32)},
		{args + 4*8, uint32(pass[1])}, {args + 4*8 + 4, uint32(pass[1] >> 32)},
	}
	var b []byte
	insn := func(code uint16, no uint8, k uint32) {
		b = append(binary.NativeEndian.AppendUint16(b, code), 0, no)
		b = binary.NativeEndian.AppendUint32(b, k)
	}
	for i, w := range words {
		insn(load, 0, w.off)
		insn(equal, uint8(GateInsns-2*(i+1)), w.value)
	}
	insn(ret, 0, unix.SECCOMP_RET_ALLOW)
	return b
}
