package opts

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/blkiodev"
	"github.com/moby/moby/api/types/container"
)

// Device reads HOST[:CONTAINER][:MODE].
func Device(s string) (container.DeviceMapping, error) {
	d := container.DeviceMapping{CgroupPermissions: "rwm"}
	f := strings.Split(s, ":")
	if len(f) > 3 || f[0] == "" {
		return d, fmt.Errorf("bad format for path: %s", s)
	}
	d.PathOnHost = f[0]
	switch {
	case len(f) == 1:
		d.PathOnHost = path.Clean(f[0])
		d.PathInContainer = d.PathOnHost
	case len(f) == 2 && deviceMode(f[1]):
		d.PathOnHost = path.Clean(f[0])
		d.PathInContainer, d.CgroupPermissions = d.PathOnHost, f[1]
	case len(f) == 2:
		d.PathInContainer = path.Clean(f[1])
	case !deviceMode(f[2]):
		return d, fmt.Errorf("bad mode specified: %s", f[2])
	default:
		d.PathInContainer, d.CgroupPermissions = f[1], f[2]
	}
	if !path.IsAbs(d.PathInContainer) {
		return d, fmt.Errorf("%s is not an absolute path", d.PathInContainer)
	}
	return d, nil
}

func deviceMode(s string) bool {
	return s != "" && strings.Trim(s, "rwm") == "" && strings.Count(s, "r") < 2 && strings.Count(s, "w") < 2 && strings.Count(s, "m") < 2
}

// CDI tells whether s is the name of a device in the Container Device Interface: VENDOR/CLASS=NAME.
func CDI(s string) bool {
	kind, name, ok := strings.Cut(s, "=")
	vendor, class, ok2 := strings.Cut(kind, "/")
	return ok && ok2 && vendor != "" && class != "" && name != "" && !strings.Contains(class, "/") && !strings.Contains(s, ":/")
}

func devicePath(s string) (dev, value string, err error) {
	dev, value, ok := strings.Cut(s, ":")
	if !ok || dev == "" {
		return "", "", fmt.Errorf("bad format: %s", s)
	}
	if !strings.HasPrefix(dev, "/dev/") {
		return "", "", fmt.Errorf("bad format for device path: %s", s)
	}
	return dev, value, nil
}

// Weight reads DEVICE:WEIGHT.
func Weight(s string) (*blkiodev.WeightDevice, error) {
	dev, v, err := devicePath(s)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil || n > 0 && (n < 10 || n > 1000) {
		return nil, fmt.Errorf("invalid weight for device: %s", s)
	}
	return &blkiodev.WeightDevice{Path: dev, Weight: uint16(n)}, nil
}

// Bps reads DEVICE:BYTES.
func Bps(s string) (*blkiodev.ThrottleDevice, error) {
	dev, v, err := devicePath(s)
	if err != nil {
		return nil, err
	}
	n, err := units.RAMInBytes(v)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("invalid rate for device: %s. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb", s)
	}
	return &blkiodev.ThrottleDevice{Path: dev, Rate: uint64(n)}, nil
}

// IOps reads DEVICE:OPERATIONS.
func IOps(s string) (*blkiodev.ThrottleDevice, error) {
	dev, v, err := devicePath(s)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("invalid rate for device: %s. The correct format is <device-path>:<number>. Number must be a positive integer", s)
	}
	return &blkiodev.ThrottleDevice{Path: dev, Rate: n}, nil
}
