package api

import (
	"net/http"

	"github.com/containerd/errdefs"
)

// unavailableSwarm is Docker's answer of an engine that is in no swarm. This one never is.
func unavailableSwarm() error {
	return Errorf(errdefs.ErrUnavailable, `This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.`)
}

// swarmRoutes answers what clients ask of swarms and plugins, of which there are none.
func (s *Server) swarmRoutes() {
	s.handle("POST", "/swarm/init", noCluster)
	s.handle("POST", "/swarm/join", noCluster)
	noSwarm := func(http.ResponseWriter, *request) error { return unavailableSwarm() }
	for _, noun := range []string{"swarm", "nodes", "services", "tasks", "secrets", "configs"} {
		s.handle("GET", "/"+noun, noSwarm)
		for _, method := range []string{"GET", "POST", "DELETE"} {
			s.handle(method, "/"+noun+"/{*}", noSwarm)
		}
	}
	s.handle("GET", "/plugins", func(w http.ResponseWriter, _ *request) error { return list(w, []any{}, nil) })
	for _, method := range []string{"GET", "POST", "DELETE"} {
		s.handle(method, "/plugins/{*}", noPlugins)
	}
}

// noCluster refuses to make or join a swarm.
func noCluster(http.ResponseWriter, *request) error {
	return Errorf(errdefs.ErrNotImplemented, "this engine does not take part in swarms")
}

// noPlugins answers requests about a plugin, and those to install one.
func noPlugins(_ http.ResponseWriter, r *request) error {
	switch r.name {
	case "pull", "create", "privileges":
		return Errorf(errdefs.ErrNotImplemented, "this engine has no plugins")
	}
	return Errorf(errdefs.ErrNotFound, "plugin %q not found", r.name)
}
