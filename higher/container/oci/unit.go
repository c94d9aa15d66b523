package oci

import (
	"maps"
	"strconv"
	"time"
)

// annotations are the user's, and tell the runtime how systemd ends a container's scope. When the host goes down, systemd
// does so, and not the daemon, which containers outlive: after the time that the container has, and not after the minute and
// a half that units have unless they say otherwise.
func (in *Input) annotations() map[string]string {
	all := maps.Clone(in.HostConfig.Annotations)
	if !in.Defaults.SystemdCgroup || in.StopSignal == 0 {
		return all
	}
	limit := "18446744073709551615" // infinity
	if in.StopTimeout >= 0 {
		limit = strconv.FormatInt((time.Duration(in.StopTimeout) * time.Second).Microseconds(), 10)
	}
	for name, value := range map[string]string{
		"KillSignal": "int32 " + strconv.Itoa(int(in.StopSignal)), "TimeoutStopUSec": "uint64 " + limit,
	} {
		name = "org.systemd.property." + name
		if _, ok := all[name]; !ok {
			if all == nil {
				all = map[string]string{}
			}
			all[name] = value
		}
	}
	return all
}
