package plan

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// sendFiles passes descriptors over the report channel (unix(7), SCM_RIGHTS), for the rendezvous that
// comes next. They are only known in the child, so they are stored into the prepared control message.
func (b *builder) sendFiles(fds ...Arg) { b.send(FilesMessage, nil, fds...) }

// send makes a report of one of the kinds that carry descriptors. The kernel does not look at more, arguments
// beyond those of sendmsg(2).
func (b *builder) send(kind uint32, more []Arg, fds ...Arg) {
	const header = 16 // struct cmsghdr
	length := header + 4*len(fds)
	payload := room(16)
	binary.NativeEndian.PutUint32(payload.Data[4:], kind)
	iov := &Mem{Data: make([]byte, 16), Refs: []Ref{{Off: 0, To: payload}}}
	binary.NativeEndian.PutUint64(iov.Data[8:], 16)
	control := room((length + 7) &^ 7)
	binary.NativeEndian.PutUint64(control.Data, uint64(length))
	binary.NativeEndian.PutUint32(control.Data[8:], unix.SOL_SOCKET)
	binary.NativeEndian.PutUint32(control.Data[12:], unix.SCM_RIGHTS)
	msg := &Mem{Data: make([]byte, unix.SizeofMsghdr), Refs: []Ref{{Off: 16, To: iov}, {Off: 32, To: control}}}
	binary.NativeEndian.PutUint64(msg.Data[24:], 1)
	binary.NativeEndian.PutUint64(msg.Data[40:], uint64(len(control.Data)))
	for i, fd := range fds {
		b.op(Store, control.at(header+4*i), fd, num(4))
	}
	binary.NativeEndian.PutUint32(payload.Data, uint32(len(b.p.Steps))) // the step's own number
	b.call(unix.SYS_SENDMSG, append([]Arg{Report.arg(), ptr(msg), num(unix.MSG_NOSIGNAL)}, more...)...)
}
