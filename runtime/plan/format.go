package plan

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// format spells a step the way strace(1) would, with registers as r5.
func (s *Step) format() string {
	switch s.Op {
	case Rendezvous:
		return fmt.Sprintf("rendezvous(%s)", Code(s.Args[0].Val))
	case Load:
		return fmt.Sprintf("load(%s, %d) & %#x", s.Args[0].source(), s.Args[1].Val, s.Args[2].Val)
	case Store:
		return fmt.Sprintf("store(%s, %s)", s.Args[0].format('p'), s.Args[1].format('d'))
	case Compare:
		return fmt.Sprintf("compare(%s, %s)", s.Args[0].format('x'), s.Args[1].format('x'))
	case Fail:
		return fmt.Sprintf("fail(%s, %q)", unix.ErrnoName(unix.Errno(s.Args[0].Val)), s.Args[1].Str)
	case Exit:
		return fmt.Sprintf("exit_group(%d)", s.Args[0].Val)
	}
	name, kinds := callInfo(s.Call)
	if s.Call == unix.SYS_PRCTL && s.Args[0].Val == unix.PR_CAP_AMBIENT {
		kinds = "Pdd--"
	}
	args := make([]string, 0, 6)
	for i := range s.Args {
		kind := byte('x')
		if i < len(kinds) {
			kind = kinds[i]
		}
		if kind != '-' {
			args = append(args, s.argument(i, kind))
		}
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// argument spells argument i; the two structures whose fields say what a step does are spelled out.
func (s *Step) argument(i int, kind byte) string {
	a := &s.Args[i]
	if a.Kind == Pointer && a.Mem != nil {
		switch s.Call {
		case unix.SYS_OPENAT2:
			how := a.Mem.Data
			return "{" + flags(binary.NativeEndian.Uint64(how), openWords) + ", " +
				flags(binary.NativeEndian.Uint64(how[16:]), resolveWords) + "}"
		case unix.SYS_MOUNT_SETATTR:
			return mountAttrText(a.Mem.Data)
		case unix.SYS_PRLIMIT64:
			return fmt.Sprintf("{%s, %s}", limit(a.Mem.Data), limit(a.Mem.Data[8:]))
		case unix.SYS_SETGROUPS:
			gids := make([]uint32, len(a.Mem.Data)/4)
			for i := range gids {
				gids[i] = binary.NativeEndian.Uint32(a.Mem.Data[4*i:])
			}
			return fmt.Sprint(gids)
		case unix.SYS_SECCOMP:
			return fmt.Sprintf("{filter of %d instructions}", binary.NativeEndian.Uint16(a.Mem.Data))
		case unix.SYS_SCHED_SETAFFINITY, unix.SYS_SET_MEMPOLICY:
			return bits(a.Mem.Data)
		case unix.SYS_SCHED_SETATTR:
			d := a.Mem.Data
			u64 := func(i int) uint64 { return binary.NativeEndian.Uint64(d[i:]) }
			return fmt.Sprintf("{policy=%d, flags=%#x, nice=%d, priority=%d, runtime=%d, deadline=%d, period=%d}",
				binary.NativeEndian.Uint32(d[4:]), u64(8), int32(binary.NativeEndian.Uint32(d[16:])),
				binary.NativeEndian.Uint32(d[20:]), u64(24), u64(32), u64(40))
		case unix.SYS_CAPSET:
			d := a.Mem.Data
			set := func(i int) uint64 {
				return uint64(binary.NativeEndian.Uint32(d[4*i:])) | uint64(binary.NativeEndian.Uint32(d[12+4*i:]))<<32
			}
			return fmt.Sprintf("{effective=%#x, permitted=%#x, inheritable=%#x}", set(0), set(1), set(2))
		}
	}
	return a.format(kind)
}

// bits spells an array of longs as one number.
func bits(b []byte) string {
	text := ""
	for i := len(b) - 8; i >= 0; i -= 8 {
		format := "%016x"
		if text == "" {
			format = "%x"
		}
		text += fmt.Sprintf(format, binary.NativeEndian.Uint64(b[i:]))
	}
	return "0x" + text
}

func limit(b []byte) string {
	if v := binary.NativeEndian.Uint64(b); v != unix.RLIM_INFINITY {
		return fmt.Sprint(v)
	}
	return "RLIM_INFINITY"
}

func mountAttrText(m []byte) string {
	var parts []string
	if v := binary.NativeEndian.Uint64(m); v != 0 {
		parts = append(parts, "set="+flags(v, mountWords))
	}
	if v := binary.NativeEndian.Uint64(m[8:]); v != 0 {
		parts = append(parts, "clear="+flags(v, mountWords))
	}
	if v := binary.NativeEndian.Uint64(m[16:]); v != 0 {
		parts = append(parts, "propagation="+flags(v, propagationWords))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (a *Arg) format(kind byte) string {
	switch a.Kind {
	case InReg:
		return fmt.Sprintf("r%d", a.Val)
	case Text:
		return fmt.Sprintf("%q", a.Str)
	case Quit:
		return "quit"
	case Pointer:
		if list, ok := a.Mem.vector(); ok {
			return fmt.Sprintf("%q", list)
		}
		return fmt.Sprintf("&[%d]", len(a.Mem.Data)) + offset(a.Val)
	}
	return a.number(kind)
}

// source spells what a Load reads: a prepared constant by its value.
func (a *Arg) source() string {
	if a.Kind == Pointer && len(a.Mem.Data) <= 2 {
		return fmt.Sprintf("&%v", a.Mem.Data)
	}
	return a.format('p')
}

// vector reads m back as an array of strings, if it is one.
func (m *Mem) vector() (list []string, ok bool) {
	for _, r := range m.Refs {
		if r.To != nil {
			return nil, false
		}
		list = append(list, r.Str)
	}
	return list, len(m.Data) == 8*(len(list)+1)
}

func offset(v uint64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("+%d", v)
}

// number spells an immediate by its kind (callInfo).
func (a *Arg) number(kind byte) string {
	v := a.Val
	switch kind {
	case 'D':
		if int64(v) == unix.AT_FDCWD {
			return "AT_FDCWD"
		}
		return fmt.Sprint(v)
	case 'd':
		return fmt.Sprint(int64(v))
	case 'o':
		return fmt.Sprintf("%#o", v)
	case 'v':
		return fmt.Sprintf("makedev(%d, %d)", unix.Major(v), unix.Minor(v))
	case 'F':
		return constantName(v, fsconfigWords)
	case 'I':
		return constantName(v, ioctlWords)
	case 'k':
		return constantName(v, keyctlWords)
	case 'P':
		return constantName(v, prctlWords)
	case 'R':
		return constantName(v, rlimitWords)
	case 's', 'p':
		if v == 0 {
			return "NULL"
		}
	}
	if words := flagWords(kind); words != nil {
		return flags(v, words)
	}
	return fmt.Sprintf("%#x", v)
}

func flagWords(kind byte) []word {
	switch kind {
	case 'O':
		return openWords
	case 'C':
		return cloneWords
	case 'T':
		return treeWords
	case 'A':
		return atWords
	case 'm':
		return moveWords
	case 'M':
		return mountWords
	case 'q':
		return pickWords
	case 'f':
		return mountFlagWords
	case 'K':
		return rangeWords
	case 'S':
		return socketWords
	case 'u':
		return umountWords
	}
	return nil
}
