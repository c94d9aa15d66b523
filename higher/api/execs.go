package api

import (
	"net/http"

	"github.com/moby/moby/api/types/common"
	"github.com/moby/moby/api/types/container"
)

func (s *Server) execRoutes() {
	s.handle("POST", "/containers/{}/exec", s.execCreate)
	s.handle("POST", "/exec/{}/start", s.execStart)
	s.handle("POST", "/exec/{}/resize", s.execResize)
	s.handle("GET", "/exec/{}/json", s.execInspect)
}

func (s *Server) execCreate(w http.ResponseWriter, r *request) error {
	var e container.ExecCreateRequest
	if err := r.body(&e, false); err != nil {
		return err
	}
	if len(e.Cmd) == 0 {
		return invalidf("No exec command specified")
	}
	if r.version < 42 {
		e.ConsoleSize = nil
	}
	id, err := s.Backend.ExecCreate(r.Context(), r.name, &e)
	return value(w, http.StatusCreated, common.IDResponse{ID: id}, err)
}

func (s *Server) execStart(w http.ResponseWriter, r *request) error {
	var e container.ExecStartRequest
	if err := r.body(&e, true); err != nil {
		return err
	}
	if e.ConsoleSize != nil {
		if r.version < 42 {
			e.ConsoleSize = nil
		} else if !e.Tty {
			return invalidf("console size can only be set when the exec has a terminal (Tty)")
		}
	}
	if e.Detach {
		return empty(w, http.StatusOK, s.Backend.ExecStart(r.Context(), r.name, &e, Streams{}))
	}
	return s.hijacked(w, r, func(st Streams) error { return s.Backend.ExecStart(r.Context(), r.name, &e, st) })
}

func (s *Server) execResize(w http.ResponseWriter, r *request) error {
	h, err := r.size("h")
	if err != nil {
		return err
	}
	width, err := r.size("w")
	if err != nil {
		return err
	}
	return empty(w, http.StatusOK, s.Backend.ExecResize(r.Context(), r.name, h, width))
}

func (s *Server) execInspect(w http.ResponseWriter, r *request) error {
	e, err := s.Backend.ExecInspect(r.Context(), r.name)
	return value(w, http.StatusOK, e, err)
}
