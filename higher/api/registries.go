package api

import (
	"net/http"

	"github.com/moby/moby/api/types/registry"
)

func (s *Server) registryRoutes() {
	s.handle("GET", "/images/search", s.imageSearch)
	s.handle("POST", "/images/{*}/push", s.imagePush)
	s.handle("GET", "/distribution/{*}/json", s.distribution)
	s.handle("POST", "/auth", s.auth)
}

func (s *Server) imageSearch(w http.ResponseWriter, r *request) error {
	f, err := r.filters()
	if err != nil {
		return err
	}
	limit, err := r.number("limit", 0)
	if err != nil {
		return err
	}
	if limit < 0 {
		return invalidf("invalid limit specified: %d", limit)
	}
	found, err := s.Backend.ImageSearch(r.Context(), r.get("term"), limit, f, r.registryAuth())
	return list(w, found, err)
}

func (s *Server) imagePush(w http.ResponseWriter, r *request) error {
	platform, err := r.platform("platform")
	if err != nil {
		return err
	}
	ref := r.name
	tag := r.get("tag")
	if tag != "" {
		ref += ":" + tag
	}
	p := &progress{w: w}
	return p.end(s.Backend.ImagePush(r.Context(), ref, tag == "", platform, r.registryAuth(), p.send))
}

func (s *Server) distribution(w http.ResponseWriter, r *request) error {
	d, err := s.Backend.DistributionInspect(r.Context(), r.name, r.registryAuth())
	return value(w, http.StatusOK, d, err)
}

func (s *Server) auth(w http.ResponseWriter, r *request) error {
	var a registry.AuthConfig
	if err := r.body(&a, false); err != nil {
		return err
	}
	answer, err := s.Backend.RegistryLogin(r.Context(), &a)
	return value(w, http.StatusOK, answer, err)
}
