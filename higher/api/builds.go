package api

import (
	"net/http"

	"github.com/moby/moby/api/types/build"
)

// buildRoutes answers what clients ask of builds before there are any: that there is no cache to remove (`docker system
// prune` asks for that, too).
func (s *Server) buildRoutes() {
	s.handle("POST", "/build/prune", func(w http.ResponseWriter, _ *request) error {
		return writeJSON(w, http.StatusOK, build.CachePruneReport{})
	})
}
