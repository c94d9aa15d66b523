package netdev

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestEndOfADump(t *testing.T) {
	message := func(kind, flags uint16, data []byte) syscall.NetlinkMessage {
		return syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: kind, Flags: flags | unix.NLM_F_MULTI, Seq: 7}, Data: data}
	}
	one := message(unix.RTM_NEWADDR, 0, []byte("x"))
	minus := func(e unix.Errno) []byte { return number(uint32(-int32(e))) }
	for name, tt := range map[string]struct {
		messages []syscall.NetlinkMessage
		bodies   int
		want     error
	}{
		"whole":               {[]syscall.NetlinkMessage{one, one, message(unix.NLMSG_DONE, 0, minus(0))}, 2, nil},
		"interrupted":         {[]syscall.NetlinkMessage{message(unix.RTM_NEWADDR, unix.NLM_F_DUMP_INTR, nil), one, message(unix.NLMSG_DONE, 0, minus(0))}, 2, errInterrupted},
		"interrupted at last": {[]syscall.NetlinkMessage{one, message(unix.NLMSG_DONE, unix.NLM_F_DUMP_INTR, minus(0))}, 1, errInterrupted},
		"broken off":          {[]syscall.NetlinkMessage{one, message(unix.NLMSG_DONE, 0, minus(unix.EMSGSIZE))}, 1, unix.EMSGSIZE},
		"an old answer":       {[]syscall.NetlinkMessage{{Header: syscall.NlMsghdr{Seq: 6, Type: unix.NLMSG_DONE}}, one, message(unix.NLMSG_DONE, 0, nil)}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := answer{seq: 7}
			for i := range tt.messages {
				last, err := got.add(&tt.messages[i])
				if last != (i == len(tt.messages)-1) || last && !errors.Is(err, tt.want) {
					t.Errorf("message %d: last %v, %v", i, last, err)
				}
			}
			if len(got.bodies) != tt.bodies {
				t.Errorf("%d bodies, want %d", len(got.bodies), tt.bodies)
			}
		})
	}
}

func TestDumpIsRepeated(t *testing.T) {
	for _, tt := range []struct {
		interrupted int
		want        error
	}{{0, nil}, {3, nil}, {dumpTries, errInterrupted}} {
		calls := 0
		_, err := untilWhole(func() ([][]byte, error) {
			if calls++; calls <= tt.interrupted {
				return nil, errInterrupted
			}
			return nil, nil
		})
		if !errors.Is(err, tt.want) || calls != min(tt.interrupted+1, dumpTries) {
			t.Errorf("after %d interruptions: %d calls, %v", tt.interrupted, calls, err)
		}
	}
}
