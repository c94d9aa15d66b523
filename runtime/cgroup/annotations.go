package cgroup

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/dhow-containers/dhow/runtime/internal/dbus"
)

// annotationPrefix begins the annotations that are properties of the unit.
const annotationPrefix = "org.systemd.property."

// annotations plans the properties that the config's annotations ask for. They come last, so that they
// replace those of the same name.
func (b *builder) annotations(list map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(list)) {
		name, ok := strings.CutPrefix(key, annotationPrefix)
		if !ok {
			continue
		}
		field := `annotations["` + key + `"]`
		if !validProperty(name) {
			b.fail(field, "%q is not the name of a property: at least three letters", name)
			continue
		}
		v, err := dbus.ParseText(list[key])
		if err == nil {
			name, v, err = microseconds(name, v)
		}
		if err != nil {
			b.fail(field, "%q is no value in the text format of GVariant: %s", list[key], err)
			continue
		}
		b.prop(name, v, field)
	}
}

func validProperty(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return len(name) >= 3
}

// microseconds turns a property that is documented in seconds, such as TimeoutStopSec, into the one that
// D-Bus has. CPUQuotaPerSecUSec and the like are not meant: a small letter comes before the Sec.
func microseconds(name string, v dbus.Value) (string, dbus.Value, error) {
	base, ok := strings.CutSuffix(name, "Sec")
	if !ok || base == "" || base[len(base)-1] < 'a' || base[len(base)-1] > 'z' {
		return name, v, nil
	}
	seconds, ok := numeric(v)
	if !ok || seconds < 0 || seconds > math.MaxUint64/2000000 {
		return "", v, errorf("it is not a number of seconds")
	}
	return base + "USec", dbus.Uint64(uint64(math.Round(seconds * 1000000))), nil
}

// numeric is the value of any numeric type.
func numeric(v dbus.Value) (float64, bool) {
	switch x := v.V.(type) {
	case uint8:
		return float64(x), true
	case int16:
		return float64(x), true
	case uint16:
		return float64(x), true
	case int32:
		return float64(x), true
	case uint32:
		return float64(x), true
	case int64:
		return float64(x), true
	case uint64:
		return float64(x), true
	case float64:
		return x, !math.IsNaN(x)
	}
	return 0, false
}
