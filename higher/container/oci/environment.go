package oci

import (
	"slices"
	"strings"
)

// defaultPath is PATH of a container whose image and user do not say.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environment is that of the container's processes; HOME is the runtime's to find out.
func (in *Input) environment(tty bool) []string {
	env := []string{"PATH=" + defaultPath, "HOSTNAME=" + in.Config.Hostname}
	if tty {
		env = append(env, "TERM=xterm")
	}
	return override(append(env, in.Env...), in.Config.Env)
}

// override replaces variables or adds them. One without a value takes the variable away.
func override(env, with []string) []string {
	for _, v := range with {
		name, _, valued := strings.Cut(v, "=")
		at := slices.IndexFunc(env, func(have string) bool { return strings.HasPrefix(have, name+"=") })
		switch {
		case !valued && at >= 0:
			env = slices.Delete(env, at, at+1)
		case !valued:
		case at >= 0:
			env[at] = v
		default:
			env = append(env, v)
		}
	}
	return env
}
