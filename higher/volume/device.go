package volume

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/mount"
	"golang.org/x/sys/unix"
)

// attach mounts a volume's device on its directory unless it is mounted already; e.disk is held.
func (m *Manager) attach(e *entry) error {
	if !e.device() || e.mounted {
		return nil
	}
	d, err := deviceMount(e.Options)
	if err == nil {
		err = mount.One(d, m.data(e.Name))
	}
	if err != nil {
		return fmt.Errorf("error while mounting volume '%s': failed to mount local volume: %w", m.data(e.Name), withoutPassword(err, e.Options["o"]))
	}
	e.mounted = true
	return nil
}

// detach takes the mount away; e.disk is held.
func (m *Manager) detach(e *entry) error {
	if !e.mounted {
		return nil
	}
	if err := unix.Unmount(m.data(e.Name), unix.UMOUNT_NOFOLLOW); err != nil && err != unix.EINVAL {
		return fmt.Errorf("error while unmounting volume %s: %w", e.Name, err)
	}
	e.mounted = false
	return nil
}

// deviceMount is the mount that a volume's options ask for. The kernel takes addresses of servers, not names.
func deviceMount(options map[string]string) (*api.Mount, error) {
	d := &api.Mount{Type: options["type"], Source: options["device"]}
	if o := options["o"]; o != "" {
		d.Options = strings.Split(o, ",")
	}
	if d.Type != "nfs" && d.Type != "nfs4" && d.Type != "cifs" {
		return d, nil
	}
	named := false
	for i, o := range d.Options {
		if host, ok := strings.CutPrefix(o, "addr="); ok && d.Type != "nfs4" {
			address, err := resolve(host)
			if err != nil {
				return nil, err
			}
			d.Options[i], named = "addr="+address, true
		}
	}
	if d.Type != "cifs" || named {
		return d, nil
	}
	u, err := url.Parse(d.Source)
	if err != nil {
		return nil, fmt.Errorf("error parsing mount device url: %w", err)
	}
	if u.Host != "" {
		if u.Host, err = resolve(u.Host); err != nil {
			return nil, err
		}
		if d.Source, err = url.QueryUnescape(u.String()); err != nil {
			return nil, fmt.Errorf("failed to unescape device URL: %q", u)
		}
	}
	return d, nil
}

func resolve(host string) (string, error) {
	a, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return "", fmt.Errorf("error resolving passed in network volume address: %w", err)
	}
	return a.String(), nil
}

// withoutPassword keeps a password in the options of cifs out of an error's text.
func withoutPassword(err error, options string) error {
	for o := range strings.SplitSeq(options, ",") {
		if p, ok := strings.CutPrefix(o, "password="); ok && p != "" {
			return errors.New(strings.ReplaceAll(err.Error(), o, "password=********"))
		}
	}
	return err
}
