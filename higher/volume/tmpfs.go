package volume

import (
	"fmt"
	"strings"

	"github.com/moby/moby/api/types/mount"
)

// tmpfsOptions are the words for mount(8) of a tmpfs in HostConfig.Mounts.
func tmpfsOptions(m *mount.Mount) ([]string, error) {
	var words []string
	if m.ReadOnly {
		words = append(words, "ro")
	}
	o := m.TmpfsOptions
	if o == nil {
		return words, nil
	}
	if o.Mode != 0 {
		words = append(words, fmt.Sprintf("mode=%o", o.Mode))
	}
	if o.SizeBytes < 0 {
		return nil, invalidf("invalid size of a tmpfs: %d", o.SizeBytes)
	}
	if o.SizeBytes != 0 {
		words = append(words, "size="+shortSize(o.SizeBytes))
	}
	for _, option := range o.Options {
		if len(option) < 1 || len(option) > 2 {
			return nil, invalidf("invalid option array length")
		}
		if option[0] != "exec" && option[0] != "noexec" {
			return nil, invalidf("invalid option: %s", option[0])
		}
		words = append(words, strings.Join(option, "="))
	}
	return words, nil
}

// shortSize writes a number of bytes with the largest unit that divides it.
func shortSize(n int64) string {
	for i, unit := range "gmk" {
		if by := int64(1) << (30 - 10*i); n%by == 0 {
			return fmt.Sprintf("%d%c", n/by, unit)
		}
	}
	return fmt.Sprint(n)
}
