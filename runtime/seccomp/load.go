package seccomp

import (
	"fmt"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

// Filter is a compiled profile: Insns (array of struct sock_filter), Flags (SECCOMP_FILTER_FLAG_* to
// load it with) and Notify (add SECCOMP_FILTER_FLAG_NEW_LISTENER to them).
type Filter = compiled.Filter

// maxProfile bounds a profile, in bytes of JSON. Docker's has 15 thousand.
const maxProfile = 1 << 20

// Load returns the compiled form of raw, the JSON of linux.seccomp, from the cache in dir or by compiling
// it, and then puts it there. dir is made with mode 0700 if it is missing; "" means no cache. An error
// that the profile is to blame for starts with a JSON pointer into config.json.
func Load(raw []byte, dir string) (*Filter, error) {
	if len(raw) > maxProfile {
		return nil, fmt.Errorf("/linux/seccomp: the profile has %d bytes, at most %d are accepted", len(raw), maxProfile)
	}
	if dir == "" {
		return compileFilter(raw, dir)
	}
	k := newKey(raw)
	c, err := openCache(dir)
	if err != nil {
		return compileFilter(raw, "") // a cache that cannot be trusted or made is no cache
	}
	defer c.close()
	if filter := c.get(k); filter != nil {
		return filter, nil
	}
	blob, err := compile(raw, dir)
	if err != nil {
		return nil, err
	}
	filter, err := decode(blob)
	if err != nil {
		return nil, err
	}
	c.put(k, blob)
	return filter, nil
}

// compileFilter is Load without a cache.
func compileFilter(raw []byte, scratch string) (*Filter, error) {
	blob, err := compile(raw, scratch)
	if err != nil {
		return nil, err
	}
	return decode(blob)
}

func decode(blob []byte) (*Filter, error) {
	filter, err := compiled.Decode(blob)
	if err != nil {
		return nil, fmt.Errorf("cannot compile the seccomp profile: internal error: the compiler returned %w", err)
	}
	return filter, nil
}
