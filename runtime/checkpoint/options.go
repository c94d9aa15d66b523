package checkpoint

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/checkpoint-restore/go-criu/v8/rpc"
)

// Options are what the flags of checkpoint and restore say. Not every one is meant for both.
type Options struct {
	Criu       string // path of the program; "" for the one in $PATH
	ImagePath  string // directory of the image files
	WorkPath   string // directory of the log; "" for ImagePath
	ParentPath string // directory of an earlier pre-dump, relative to ImagePath

	LeaveRunning    bool // let the processes run on after the dump
	PreDump         bool // save memory only, and let the processes run on
	TCPEstablished  bool
	TCPSkipInFlight bool
	LinkRemap       bool
	ExtUnixSk       bool
	ShellJob        bool
	FileLocks       bool
	AutoDedup       bool
	LazyPages       bool
	StatusFD        int    // descriptor that is told when the server of lazy pages is ready; -1 for none
	PageServer      string // ADDRESS:PORT that takes the memory; "" for image files
	CgroupsMode     string // soft, full, strict, ignore; "" for criu's default
	LSMProfile      string // TYPE:NAME
	LSMMountContext string
}

// cgroupMode reads --manage-cgroups-mode.
func cgroupMode(name string) (rpc.CriuCgMode, error) {
	switch name {
	case "":
		return rpc.CriuCgMode_DEFAULT, nil
	case "soft":
		return rpc.CriuCgMode_SOFT, nil
	case "full":
		return rpc.CriuCgMode_FULL, nil
	case "strict":
		return rpc.CriuCgMode_STRICT, nil
	case "ignore":
		return rpc.CriuCgMode_IGNORE, nil
	}
	return 0, fmt.Errorf("cannot use --manage-cgroups-mode %q: want soft, full, strict or ignore", name)
}

// pageServer reads --page-server.
func pageServer(s string) (*rpc.CriuPageServerInfo, error) {
	if s == "" {
		return nil, nil
	}
	address, port, err := splitHostPort(s)
	if err != nil {
		return nil, fmt.Errorf("cannot use --page-server %q: %w", s, err)
	}
	return &rpc.CriuPageServerInfo{Address: &address, Port: &port}, nil
}

// splitHostPort takes ADDRESS:PORT apart; an IPv6 address is in brackets. (Package net would cost start-up time.)
func splitHostPort(s string) (address string, port int32, err error) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 1 {
		return "", 0, errors.New("want ADDRESS:PORT")
	}
	address = s[:colon]
	if n := len(address); address[0] == '[' && address[n-1] == ']' {
		address = address[1 : n-1]
	} else if strings.Contains(address, ":") {
		return "", 0, errors.New("an IPv6 address must be in brackets")
	}
	n, err := strconv.ParseUint(s[colon+1:], 10, 16)
	if address == "" || err != nil || n == 0 {
		return "", 0, errors.New("want ADDRESS:PORT")
	}
	return address, int32(n), nil
}

// Check finds what is wrong with the options before anything is made.
func (o *Options) Check() error {
	_, modeErr := cgroupMode(o.CgroupsMode)
	_, psErr := pageServer(o.PageServer)
	return errors.Join(modeErr, psErr)
}
