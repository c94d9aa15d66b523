package container

import (
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// activate tells the container's process about the sockets that a service manager has opened for it
// (sd_listen_fds(3)): they are its descriptors from 3 on, and it is its process 1.
func (o *CreateOptions) activate(p *specs.Process) {
	if o.ListenFDs == 0 {
		return
	}
	p.Env = append(p.Env, "LISTEN_FDS="+strconv.Itoa(o.ListenFDs), "LISTEN_PID=1")
	if o.ListenNames != "" {
		p.Env = append(p.Env, "LISTEN_FDNAMES="+o.ListenNames)
	}
}
