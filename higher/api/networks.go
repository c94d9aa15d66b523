package api

import (
	"net/http"
	"strconv"

	"github.com/moby/moby/api/types/network"
)

func (s *Server) networkRoutes() {
	s.handle("GET", "/networks", s.networkList)
	s.handle("GET", "/networks/", s.networkList)
	s.handle("POST", "/networks/create", s.networkCreate)
	s.handle("POST", "/networks/prune", s.networkPrune)
	s.handle("GET", "/networks/{}", s.networkInspect)
	s.handle("POST", "/networks/{}/connect", s.networkConnect)
	s.handle("POST", "/networks/{}/disconnect", s.networkDisconnect)
	s.handle("DELETE", "/networks/{}", s.networkRemove)
}

func (s *Server) networkList(w http.ResponseWriter, r *request) error {
	f, err := r.filters()
	if err != nil {
		return err
	}
	networks, err := s.Backend.NetworkList(r.Context(), f)
	return list(w, networks, err)
}

func (s *Server) networkCreate(w http.ResponseWriter, r *request) error {
	var n network.CreateRequest
	if err := r.body(&n, false); err != nil {
		return err
	}
	if r.version < 48 {
		n.EnableIPv4 = nil
	}
	answer, err := s.Backend.NetworkCreate(r.Context(), &n)
	return value(w, http.StatusCreated, answer, err)
}

func (s *Server) networkPrune(w http.ResponseWriter, r *request) error {
	f, err := r.filters()
	if err != nil {
		return err
	}
	report, err := s.Backend.NetworkPrune(r.Context(), f)
	return value(w, http.StatusOK, report, err)
}

func (s *Server) networkInspect(w http.ResponseWriter, r *request) error {
	verbose := false
	if v := r.get("verbose"); v != "" {
		var err error
		if verbose, err = strconv.ParseBool(v); err != nil {
			return invalidf("invalid value for verbose: %s", v)
		}
	}
	n, err := s.Backend.NetworkInspect(r.Context(), r.name, r.get("scope"), verbose)
	if err != nil {
		return err
	}
	if r.version < 52 {
		n.Status = nil
	}
	return writeJSON(w, http.StatusOK, n)
}

func (s *Server) networkConnect(w http.ResponseWriter, r *request) error {
	var c network.ConnectRequest
	if err := r.body(&c, false); err != nil {
		return err
	}
	return empty(w, http.StatusOK, s.Backend.NetworkConnect(r.Context(), r.name, &c))
}

func (s *Server) networkDisconnect(w http.ResponseWriter, r *request) error {
	var d network.DisconnectRequest
	if err := r.body(&d, false); err != nil {
		return err
	}
	return empty(w, http.StatusOK, s.Backend.NetworkDisconnect(r.Context(), r.name, &d))
}

func (s *Server) networkRemove(w http.ResponseWriter, r *request) error {
	return empty(w, http.StatusNoContent, s.Backend.NetworkRemove(r.Context(), r.name))
}
