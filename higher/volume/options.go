package volume

import (
	"net/url"

	"github.com/docker/go-units"
)

// checkOptions checks the options of the local driver: type, device and o as mount(8) has them, and size.
func checkOptions(options map[string]string) error {
	for key := range options {
		switch key {
		case "type", "o", "device", "size":
		default:
			return invalidf("invalid option: %q", key)
		}
	}
	if size, ok := options["size"]; ok {
		n, err := units.RAMInBytes(size)
		if err != nil {
			return invalidf("%v", err)
		}
		if n > 0 {
			return invalidf("quota size requested but no quota support")
		}
	}
	for _, needs := range [...][2]string{{"device", "type"}, {"type", "device"}, {"o", "device"}, {"o", "type"}} {
		_, has := options[needs[0]]
		if _, ok := options[needs[1]]; has && !ok {
			return invalidf("missing required option: %q", needs[1])
		}
	}
	if options["type"] == "cifs" {
		u, err := url.Parse(options["device"])
		if err != nil {
			return invalidf("error parsing mount device url: %v", err)
		}
		if u.Port() != "" {
			return invalidf("port not allowed in CIFS device URL, include 'port' in 'o='")
		}
	}
	return nil
}

// device says whether there is something to mount on the volume's directory.
func (e *entry) device() bool { return e.Options["device"] != "" || e.Options["type"] != "" }
