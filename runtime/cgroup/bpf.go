package cgroup

import (
	"io/fs"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bpf(2) has no wrapper in the standard library or x/sys; this file makes the
// four calls that a device filter takes, with the layouts of union bpf_attr in
// linux/bpf.h. Its pointers are 64-bit fields, so what they point to is pinned.

type bpfLoad struct {
	progType, insnCount    uint32
	insns, license         uint64
	logLevel, logSize      uint32
	logBuf                 uint64
	kernVersion, progFlags uint32
	progName               [16]byte
	ifindex, attachType    uint32
}

type bpfAttach struct {
	target, prog, attachType, flags uint32
}

type bpfQuery struct {
	target, attachType, queryFlags, attachFlags uint32
	ids                                         uint64
	count, _                                    uint32
}

type bpfByID struct {
	id, next, openFlags uint32
}

// licence is what the kernel is told about the program; it uses no helper that
// is reserved to the GPL.
var licence = []byte("Apache-2.0\x00")

// attachFilter loads a device filter and adds it to a version 2 group. The
// kernel asks every program of a group and of its ancestors; all must agree.
func attachFilter(group int, code []byte) error {
	prog, err := loadFilter(code)
	if err != nil {
		return &fs.PathError{Op: "bpf", Path: "BPF_PROG_LOAD", Err: err}
	}
	defer unix.Close(prog)
	a := bpfAttach{uint32(group), uint32(prog), unix.BPF_CGROUP_DEVICE, unix.BPF_F_ALLOW_MULTI}
	if _, err := bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&a), unsafe.Sizeof(a)); err != nil {
		return &fs.PathError{Op: "bpf", Path: "BPF_PROG_ATTACH", Err: err}
	}
	return nil
}

// replaceFilter puts a device filter in the place of those of the group itself.
// The new one is added before the old ones go, so no request goes unfiltered.
func replaceFilter(group int, code []byte) error {
	old, err := filterIDs(group)
	if err != nil {
		return &fs.PathError{Op: "bpf", Path: "BPF_PROG_QUERY", Err: err}
	}
	if code != nil {
		if err := attachFilter(group, code); err != nil {
			return err
		}
	}
	for _, id := range old {
		if err := detachFilter(group, id); err != nil {
			return &fs.PathError{Op: "bpf", Path: "BPF_PROG_DETACH", Err: err}
		}
	}
	return nil
}

func loadFilter(code []byte) (int, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&code[0])
	pin.Pin(&licence[0])
	a := bpfLoad{
		progType:   unix.BPF_PROG_TYPE_CGROUP_DEVICE,
		insnCount:  uint32(len(code) / insnSize),
		insns:      uint64(uintptr(unsafe.Pointer(&code[0]))),
		license:    uint64(uintptr(unsafe.Pointer(&licence[0]))),
		attachType: unix.BPF_CGROUP_DEVICE,
	}
	copy(a.progName[:], "dhow_devices")
	return bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&a), unsafe.Sizeof(a))
}

// filterIDs lists the device programs that are attached to the group itself.
func filterIDs(group int) ([]uint32, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	ids := make([]uint32, 64) // BPF_CGROUP_MAX_PROGS
	pin.Pin(&ids[0])
	q := bpfQuery{
		target:     uint32(group),
		attachType: unix.BPF_CGROUP_DEVICE,
		ids:        uint64(uintptr(unsafe.Pointer(&ids[0]))),
		count:      uint32(len(ids)),
	}
	if _, err := bpf(unix.BPF_PROG_QUERY, unsafe.Pointer(&q), unsafe.Sizeof(q)); err != nil {
		return nil, err
	}
	return ids[:q.count], nil
}

func detachFilter(group int, id uint32) error {
	b := bpfByID{id: id}
	prog, err := bpf(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(&b), unsafe.Sizeof(b))
	if err != nil {
		return err
	}
	defer unix.Close(prog)
	a := bpfAttach{uint32(group), uint32(prog), unix.BPF_CGROUP_DEVICE, 0}
	_, err = bpf(unix.BPF_PROG_DETACH, unsafe.Pointer(&a), unsafe.Sizeof(a))
	return err
}

// bpf makes the system call; its fds are close-on-exec by themselves. Loading
// fails with EAGAIN when a signal arrives during verification.
func bpf(cmd int, attr unsafe.Pointer, size uintptr) (int, error) {
	return retry(func() (int, error) {
		fd, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(attr), size)
		if errno != 0 {
			return -1, errno
		}
		return int(fd), nil
	})
}
