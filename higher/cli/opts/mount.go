package opts

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/mount"
)

// Mount reads the value of --mount: key=value pairs as one line of CSV.
func Mount(s string) (mount.Mount, error) {
	m := mount.Mount{Type: mount.TypeVolume}
	s = strings.TrimSpace(s)
	if s == "" {
		return m, errors.New("value is empty")
	}
	fields, err := csv.NewReader(strings.NewReader(s)).Read()
	if err != nil {
		return m, err
	}
	for _, f := range fields {
		if err := mountField(&m, f); err != nil {
			return m, err
		}
	}
	return m, checkMount(&m)
}

func mountField(m *mount.Mount, field string) error {
	k, v, has := strings.Cut(field, "=")
	switch {
	case k != strings.TrimSpace(k):
		return fmt.Errorf("invalid option '%s' in '%s': option should not have whitespace", strings.TrimSpace(k), field)
	case has && strings.TrimSpace(v) == "":
		return fmt.Errorf("invalid value for '%s': value is empty", k)
	case v != strings.TrimSpace(v):
		return fmt.Errorf("invalid value for '%s' in '%s': value should not have whitespace", k, field)
	}
	k = strings.ToLower(k)
	if isSwitch(k) {
		on, err := switched(k, v, has)
		if err != nil {
			return err
		}
		setSwitch(m, k, on)
		return nil
	}
	if !has {
		return fmt.Errorf("invalid field '%s' must be a key=value pair", field)
	}
	return setMount(m, k, v, field)
}

func isSwitch(k string) bool {
	switch k {
	case "readonly", "ro", "volume-nocopy", "bind-create-src", "bind-nonrecursive":
		return true
	}
	return false
}

func switched(k, v string, has bool) (bool, error) {
	switch {
	case k == "bind-nonrecursive":
		return false, errors.New("bind-nonrecursive is deprecated, use bind-recursive=disabled instead")
	case !has, v == "1", v == "true":
		return true, nil
	case v == "0", v == "false":
		return false, nil
	}
	return false, fmt.Errorf(`invalid value for '%s': invalid boolean value (%q): must be one of "true", "1", "false", or "0" (default "true")`, k, v)
}

func setSwitch(m *mount.Mount, k string, on bool) {
	switch k {
	case "readonly", "ro":
		m.ReadOnly = on
	case "volume-nocopy":
		volumeOptions(m).NoCopy = on
	case "bind-create-src":
		bindOptions(m).CreateMountpoint = on
	}
}

func setMount(m *mount.Mount, k, v, field string) error {
	switch k {
	case "type":
		m.Type = mount.Type(strings.ToLower(v))
	case "source", "src":
		m.Source = v
		if strings.HasPrefix(v, ".") {
			if abs, err := filepath.Abs(v); err == nil {
				m.Source = abs
			}
		}
	case "target", "dst", "destination":
		m.Target = v
	case "consistency":
		m.Consistency = mount.Consistency(strings.ToLower(v))
	case "bind-propagation":
		bindOptions(m).Propagation = mount.Propagation(strings.ToLower(v))
	case "bind-recursive":
		return recursive(m, k, v)
	case "volume-subpath":
		volumeOptions(m).Subpath = v
	case "volume-label":
		o := volumeOptions(m)
		addPair(&o.Labels, v)
	case "volume-driver":
		volumeDriver(m).Name = v
	case "volume-opt":
		d := volumeDriver(m)
		addPair(&d.Options, v)
	case "image-subpath":
		if m.ImageOptions == nil {
			m.ImageOptions = &mount.ImageOptions{}
		}
		m.ImageOptions.Subpath = v
	case "tmpfs-size", "tmpfs-mode":
		return tmpfs(m, k, v)
	default:
		return fmt.Errorf("unexpected key '%s' in '%s'", k, field)
	}
	return nil
}

func recursive(m *mount.Mount, k, v string) error {
	o := bindOptions(m)
	switch v {
	case "enabled":
	case "disabled":
		o.NonRecursive = true
	case "writable":
		o.ReadOnlyNonRecursive = true
	case "readonly":
		o.ReadOnlyForceRecursive = true
	default:
		return fmt.Errorf(`invalid value for %s: %s (must be "enabled", "disabled", "writable", or "readonly")`, k, v)
	}
	return nil
}

func tmpfs(m *mount.Mount, k, v string) error {
	if m.TmpfsOptions == nil {
		m.TmpfsOptions = &mount.TmpfsOptions{}
	}
	var err error
	if k == "tmpfs-size" {
		m.TmpfsOptions.SizeBytes, err = units.RAMInBytes(v)
	} else {
		var mode uint64
		mode, err = strconv.ParseUint(v, 8, 32)
		m.TmpfsOptions.Mode = os.FileMode(mode)
	}
	if err != nil {
		return fmt.Errorf("invalid value for %s: %s", k, v)
	}
	return nil
}

func bindOptions(m *mount.Mount) *mount.BindOptions {
	if m.BindOptions == nil {
		m.BindOptions = &mount.BindOptions{}
	}
	return m.BindOptions
}

func volumeOptions(m *mount.Mount) *mount.VolumeOptions {
	if m.VolumeOptions == nil {
		m.VolumeOptions = &mount.VolumeOptions{}
	}
	return m.VolumeOptions
}

func volumeDriver(m *mount.Mount) *mount.Driver {
	o := volumeOptions(m)
	if o.DriverConfig == nil {
		o.DriverConfig = &mount.Driver{}
	}
	return o.DriverConfig
}

func addPair(to *map[string]string, s string) {
	k, v, _ := strings.Cut(s, "=")
	if k == "" {
		return
	}
	if *to == nil {
		*to = map[string]string{}
	}
	(*to)[k] = v
}

// checkMount refuses options that are for other types of mounts.
func checkMount(m *mount.Mount) error {
	switch {
	case m.Type == "":
		return errors.New("type is required")
	case m.Target == "":
		return errors.New("target is required")
	case m.Type != mount.TypeBind && m.BindOptions != nil:
		return mixed("bind", m)
	case m.Type != mount.TypeVolume && m.VolumeOptions != nil:
		return mixed("volume", m)
	case m.Type != mount.TypeImage && m.ImageOptions != nil:
		return mixed("image", m)
	case m.Type != mount.TypeTmpfs && m.TmpfsOptions != nil:
		return mixed("tmpfs", m)
	}
	if o := m.BindOptions; o != nil {
		switch {
		case o.ReadOnlyNonRecursive && !m.ReadOnly:
			return errors.New("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction")
		case o.ReadOnlyForceRecursive && !m.ReadOnly:
			return errors.New("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction")
		case o.ReadOnlyForceRecursive && o.Propagation != mount.PropagationRPrivate:
			return errors.New("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction")
		}
	}
	return nil
}

func mixed(kind string, m *mount.Mount) error {
	return fmt.Errorf("cannot mix '%s-*' options with mount type '%s'", kind, m.Type)
}
