package container

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/network"
	types "github.com/moby/moby/api/types/container"
	net "github.com/moby/moby/api/types/network"
)

// shareByID has modes that name another container name it by its id, so that it may be renamed. One that is not there
// is an error at the start.
func (m *Manager) shareByID(h *types.HostConfig) {
	byID := func(name string) string {
		if c, err := m.get(name); err == nil {
			return "container:" + c.id
		}
		return "container:" + name
	}
	if h.PidMode.IsContainer() {
		h.PidMode = types.PidMode(byID(h.PidMode.Container()))
	}
	if h.IpcMode.IsContainer() {
		h.IpcMode = types.IpcMode(byID(h.IpcMode.Container()))
	}
	if h.NetworkMode.IsContainer() {
		h.NetworkMode = types.NetworkMode(byID(h.NetworkMode.ConnectedContainer()))
	}
}

// resolveLinks finds the containers of --link on the default bridge.
func (m *Manager) resolveLinks(h *types.HostConfig) ([]link, error) {
	if h.NetworkMode.IsUserDefined() {
		return nil, nil // the endpoint has them
	}
	var all []link
	for _, l := range h.Links {
		name, alias, ok := strings.Cut(l, ":")
		if !ok {
			alias = strings.TrimPrefix(name, "/")
		}
		if name == "" || alias == "" || strings.Contains(alias, ":") {
			return nil, invalidf("bad format for links: %s", l)
		}
		child, err := m.linked(name)
		if err != nil {
			return nil, err
		}
		// "/child:/parent/alias" is how a link reads in what inspect shows of a container that is made again.
		all = append(all, link{child.id, alias[strings.LastIndexByte(alias, '/')+1:]})
	}
	return all, nil
}

// linked finds the container whose network a link leads to.
func (m *Manager) linked(name string) (*container, error) {
	child, err := m.get(name)
	for err == nil && child.record().HostConfig.NetworkMode.IsContainer() {
		name = child.record().HostConfig.NetworkMode.ConnectedContainer()
		child, err = m.get(name)
	}
	switch {
	case errdefs.IsNotFound(err):
		// A client takes "not found" for the image's.
		return nil, invalidf("could not get container for %s: %v", name, err)
	case err != nil:
		return nil, wrapf(err, "could not get container for %s", name)
	case child.record().HostConfig.NetworkMode.IsHost():
		return nil, invalidf("conflicting options: host type networking can't be used with links. This would result in undefined behavior")
	}
	return child, nil
}

// linksOf are a container's links to containers that run, and the variables that tell its process of them.
func (m *Manager) linksOf(r *Record) (links []network.Link, env []string, err error) {
	for _, l := range r.Links {
		child, err := m.get(l.ID)
		if err != nil {
			continue // removed since
		}
		other := child.record()
		if !other.Running() {
			return nil, nil, api.Errorf(errdefs.ErrUnknown, "Cannot link to a non running container: /%s AS /%s/%s", other.Name, r.Name, l.Alias)
		}
		e := other.Live[net.NetworkBridge]
		if e == nil {
			return nil, nil, fmt.Errorf("container %s not attached to default bridge network", other.ID)
		}
		links = append(links, network.Link{ID: other.ID, Name: other.Name, Alias: l.Alias})
		env = append(env, linkEnv(r.Name, l.Alias, other, e)...)
	}
	return links, env, nil
}

// linkEnv are the variables of a link: name, addresses of exposed ports, the lowest of which is the default, the environment of
// the other container.
func linkEnv(parent, alias string, other *Record, e *net.EndpointSettings) []string {
	prefix := strings.ReplaceAll(strings.ToUpper(alias), "-", "_")
	env := []string{fmt.Sprintf("%s_NAME=/%s/%s", prefix, parent, alias)}
	ports := slices.SortedFunc(maps.Keys(other.Config.ExposedPorts), func(a, b net.Port) int {
		if a.Num() != b.Num() {
			return int(a.Num()) - int(b.Num())
		}
		return strings.Compare(string(a.Proto()), string(b.Proto()))
	})
	for i, p := range ports {
		proto, number := string(p.Proto()), strconv.Itoa(int(p.Num()))
		url := proto + "://" + e.IPAddress.String() + ":" + number
		if i == 0 {
			env = append(env, prefix+"_PORT="+url)
		}
		one := prefix + "_PORT_" + number + "_" + strings.ToUpper(proto)
		env = append(env, one+"="+url, one+"_ADDR="+e.IPAddress.String(), one+"_PORT="+number, one+"_PROTO="+proto)
	}
	for _, v := range other.Config.Env {
		if key, value, ok := strings.Cut(v, "="); ok && key != "HOME" && key != "PATH" {
			env = append(env, prefix+"_ENV_"+key+"="+value)
		}
	}
	return env
}
