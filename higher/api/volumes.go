package api

import (
	"net/http"

	"github.com/moby/moby/api/types/volume"
)

func (s *Server) volumeRoutes() {
	s.handle("GET", "/volumes", s.volumeList)
	s.handle("POST", "/volumes/create", s.volumeCreate)
	s.handle("POST", "/volumes/prune", s.volumePrune)
	s.handle("GET", "/volumes/{}", s.volumeInspect)
	s.handle("DELETE", "/volumes/{}", s.volumeRemove)
}

func (s *Server) volumeList(w http.ResponseWriter, r *request) error {
	f, err := r.filters()
	if err != nil {
		return err
	}
	answer, err := s.Backend.VolumeList(r.Context(), f)
	if answer.Volumes == nil {
		answer.Volumes = []volume.Volume{}
	}
	return value(w, http.StatusOK, answer, err)
}

func (s *Server) volumeCreate(w http.ResponseWriter, r *request) error {
	var c volume.CreateRequest
	if err := r.body(&c, false); err != nil {
		return err
	}
	if c.ClusterVolumeSpec != nil {
		return unavailableSwarm()
	}
	v, err := s.Backend.VolumeCreate(r.Context(), &c)
	return value(w, http.StatusCreated, v, err)
}

func (s *Server) volumePrune(w http.ResponseWriter, r *request) error {
	f, err := r.filters()
	if err != nil {
		return err
	}
	if r.version < 42 { // all unused volumes, not only the anonymous ones
		if f == nil {
			f = Filters{}
		}
		f["all"] = []string{"true"}
	}
	report, err := s.Backend.VolumePrune(r.Context(), f)
	return value(w, http.StatusOK, report, err)
}

func (s *Server) volumeInspect(w http.ResponseWriter, r *request) error {
	v, err := s.Backend.VolumeInspect(r.Context(), r.name)
	return value(w, http.StatusOK, v, err)
}

func (s *Server) volumeRemove(w http.ResponseWriter, r *request) error {
	return empty(w, http.StatusNoContent, s.Backend.VolumeRemove(r.Context(), r.name, r.flag("force")))
}
