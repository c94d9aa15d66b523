package spec

import specs "github.com/opencontainers/runtime-spec/specs-go"

// Personality returns the execution domain of personality(2) (linux/personality.h).
func Personality(d specs.LinuxPersonalityDomain) (persona uint32, ok bool) {
	return find(personalities[:], string(d))
}

var personalities = [...]entry[uint32]{
	{"LINUX", 0},
	{"LINUX32", 8},
}
