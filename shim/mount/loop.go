package mount

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// maxLoopTries is how often a free loop device may turn out to be taken by somebody else.
const maxLoopTries = 100

// attachLoop makes a file a block device (loop(4)). The device goes away with its last user: the mount, or the file that
// is returned.
func attachLoop(path string, o *options) (*os.File, error) {
	mode, config := unix.O_RDWR, unix.LoopConfig{}
	config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
	if o.readOnly() {
		mode = unix.O_RDONLY
		config.Info.Flags |= unix.LO_FLAGS_READ_ONLY
	}
	if o.direct {
		config.Info.Flags |= unix.LO_FLAGS_DIRECT_IO
	}
	copy(config.Info.File_name[:len(config.Info.File_name)-1], path)
	image, err := os.OpenFile(path, mode|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer image.Close() // the device has its own reference
	config.Fd = uint32(image.Fd())
	control, err := os.OpenFile("/dev/loop-control", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	for try := 1; ; try++ {
		device, err := freeLoop(control, mode)
		if err != nil {
			return nil, err
		}
		if err = unix.IoctlLoopConfigure(int(device.Fd()), &config); err == nil {
			return device, nil
		}
		device.Close()
		if err != unix.EBUSY || try == maxLoopTries {
			return nil, fmt.Errorf("cannot attach %s to %s: %w", path, device.Name(), os.NewSyscallError("ioctl LOOP_CONFIGURE", err))
		}
	}
}

// freeLoop opens a device that nobody used a moment ago.
func freeLoop(control *os.File, mode int) (*os.File, error) {
	number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return nil, fmt.Errorf("cannot find a free loop device: %w", os.NewSyscallError("ioctl LOOP_CTL_GET_FREE", err))
	}
	return os.OpenFile(fmt.Sprintf("/dev/loop%d", number), mode|unix.O_CLOEXEC, 0)
}
