package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

func (s *Server) containerRoutes() {
	s.handle("GET", "/containers/json", s.containerList)
	s.handle("POST", "/containers/create", s.containerCreate)
	s.handle("POST", "/containers/prune", s.containerPrune)
	s.handle("GET", "/containers/{}/json", s.containerInspect)
	s.handle("GET", "/containers/{}/top", s.containerTop)
	s.handle("GET", "/containers/{}/changes", s.containerChanges)
	s.handle("GET", "/containers/{}/stats", s.containerStats)
	s.handle("POST", "/containers/{}/start", s.containerStart)
	s.handle("POST", "/containers/{}/stop", s.containerStop)
	s.handle("POST", "/containers/{}/restart", s.containerRestart)
	s.handle("POST", "/containers/{}/kill", s.containerKill)
	s.handle("POST", "/containers/{}/pause", s.containerPause)
	s.handle("POST", "/containers/{}/unpause", s.containerUnpause)
	s.handle("POST", "/containers/{}/rename", s.containerRename)
	s.handle("POST", "/containers/{}/update", s.containerUpdate)
	s.handle("POST", "/containers/{}/wait", s.containerWait)
	s.handle("DELETE", "/containers/{*}", s.containerRemove) // of a link: /PARENT/ALIAS
	s.handle("POST", "/commit", s.commit)
}

func (s *Server) containerList(w http.ResponseWriter, r *request) error {
	f, err := r.filters()
	if err != nil {
		return err
	}
	limit, err := r.number("limit", 0)
	if err != nil {
		return err
	}
	o := ContainerListOptions{All: r.flag("all"), Size: r.flag("size"), Limit: max(limit, 0), Filters: f}
	items, err := s.Backend.ContainerList(r.Context(), o)
	for i := range items {
		shapeSummary(&items[i], r.version)
	}
	return list(w, items, err)
}

func (s *Server) containerCreate(w http.ResponseWriter, r *request) error {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return invalidf("cannot read the request: %v", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	var c container.CreateRequest
	if err := r.body(&c, false); err != nil {
		return err
	}
	if c.Config == nil {
		return invalidf("config cannot be empty in order to create a container")
	}
	if c.HostConfig == nil {
		c.HostConfig = &container.HostConfig{}
	}
	if c.NetworkingConfig == nil {
		c.NetworkingConfig = &network.NetworkingConfig{}
	}
	var old legacyCreate
	if err := json.Unmarshal(raw, &old); err != nil {
		return invalidf("invalid JSON: %v", err)
	}
	warnings, err := adaptCreate(&c, &old, r.version)
	if err != nil {
		return err
	}
	platform, err := r.platform("platform")
	if err != nil {
		return err
	}
	answer, err := s.Backend.ContainerCreate(r.Context(), r.get("name"), &c, platform, r.version.String())
	if answer.Warnings = append(answer.Warnings, warnings...); answer.Warnings == nil {
		answer.Warnings = []string{}
	}
	return value(w, http.StatusCreated, answer, err)
}

func (s *Server) containerPrune(w http.ResponseWriter, r *request) error {
	f, err := r.filters()
	if err != nil {
		return err
	}
	report, err := s.Backend.ContainerPrune(r.Context(), f)
	return value(w, http.StatusOK, report, err)
}

func (s *Server) containerInspect(w http.ResponseWriter, r *request) error {
	c, err := s.Backend.ContainerInspect(r.Context(), r.name, r.flag("size"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shapeContainer(c, r.version))
}

func (s *Server) containerTop(w http.ResponseWriter, r *request) error {
	top, err := s.Backend.ContainerTop(r.Context(), r.name, r.get("ps_args"))
	return value(w, http.StatusOK, top, err)
}

func (s *Server) containerChanges(w http.ResponseWriter, r *request) error {
	changes, err := s.Backend.ContainerChanges(r.Context(), r.name)
	return list(w, changes, err)
}

func (s *Server) containerStats(w http.ResponseWriter, r *request) error {
	started := false
	err := s.Backend.ContainerStats(r.Context(), r.name, r.flagOr("stream", true), r.flag("one-shot"), func(stats *container.StatsResponse) error {
		if !started {
			started = true
			w.Header().Set("Content-Type", "application/json")
		}
		return emit(w, stats)
	})
	if started {
		return nil // the client went away, or the container
	}
	return err
}

func (s *Server) containerStart(w http.ResponseWriter, r *request) error {
	if r.get("checkpoint") != "" || r.get("checkpoint-dir") != "" {
		return Errorf(errNotImplemented, "cannot start from a checkpoint: not supported by this engine")
	}
	return empty(w, http.StatusNoContent, s.Backend.ContainerStart(r.Context(), r.name))
}

// stopOptions reads the query of stop and restart.
func (r *request) stopOptions() (StopOptions, error) {
	var o StopOptions
	if r.version >= 42 {
		o.Signal = r.get("signal")
	}
	if r.get("t") != "" {
		t, err := r.number("t", 0)
		if err != nil {
			return o, err
		}
		o.Timeout = &t
	}
	return o, nil
}

func (s *Server) containerStop(w http.ResponseWriter, r *request) error {
	o, err := r.stopOptions()
	if err != nil {
		return err
	}
	return empty(w, http.StatusNoContent, s.Backend.ContainerStop(r.Context(), r.name, o))
}

func (s *Server) containerRestart(w http.ResponseWriter, r *request) error {
	o, err := r.stopOptions()
	if err != nil {
		return err
	}
	return empty(w, http.StatusNoContent, s.Backend.ContainerRestart(r.Context(), r.name, o))
}

func (s *Server) containerKill(w http.ResponseWriter, r *request) error {
	return empty(w, http.StatusNoContent, s.Backend.ContainerKill(r.Context(), r.name, r.get("signal")))
}

func (s *Server) containerPause(w http.ResponseWriter, r *request) error {
	return empty(w, http.StatusNoContent, s.Backend.ContainerPause(r.Context(), r.name))
}

func (s *Server) containerUnpause(w http.ResponseWriter, r *request) error {
	return empty(w, http.StatusNoContent, s.Backend.ContainerUnpause(r.Context(), r.name))
}

func (s *Server) containerRename(w http.ResponseWriter, r *request) error {
	return empty(w, http.StatusNoContent, s.Backend.ContainerRename(r.Context(), r.name, r.get("name")))
}

func (s *Server) containerUpdate(w http.ResponseWriter, r *request) error {
	var u container.UpdateConfig
	if err := r.body(&u, false); err != nil {
		return err
	}
	if r.version < 55 { // the devices' limits could not be updated before
		u.BlkioWeightDevice = nil
		u.BlkioDeviceReadBps, u.BlkioDeviceWriteBps = nil, nil
		u.BlkioDeviceReadIOps, u.BlkioDeviceWriteIOps = nil, nil
	}
	if u.PidsLimit != nil && *u.PidsLimit < 0 {
		*u.PidsLimit = 0
	}
	answer, err := s.Backend.ContainerUpdate(r.Context(), r.name, &u)
	if answer.Warnings == nil {
		answer.Warnings = []string{}
	}
	return value(w, http.StatusOK, answer, err)
}

func (s *Server) containerWait(w http.ResponseWriter, r *request) error {
	condition := container.WaitCondition(r.get("condition"))
	switch condition {
	case "":
		condition = container.WaitConditionNotRunning
	case container.WaitConditionNotRunning, container.WaitConditionNextExit, container.WaitConditionRemoved:
	default:
		return invalidf("invalid condition: %q", condition)
	}
	answer, err := s.Backend.ContainerWait(r.Context(), r.name, condition)
	if err != nil {
		return err
	}
	// The client goes on (starts the container) once it knows that the wait has begun.
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	if err := http.NewResponseController(w).Flush(); err != nil {
		return nil
	}
	select {
	case status := <-answer:
		_ = json.NewEncoder(w).Encode(status)
	case <-r.Context().Done():
	}
	return nil
}

func (s *Server) containerRemove(w http.ResponseWriter, r *request) error {
	o := RemoveOptions{Volumes: r.flag("v"), Link: r.flag("link"), Force: r.flag("force")}
	return empty(w, http.StatusNoContent, s.Backend.ContainerRemove(r.Context(), r.name, o))
}

func (s *Server) commit(w http.ResponseWriter, r *request) error {
	var body struct{ *container.Config }
	if err := r.body(&body, true); err != nil {
		return err
	}
	answer, err := s.Backend.ContainerCommit(r.Context(), CommitOptions{
		Container: r.get("container"), Repo: r.get("repo"), Tag: r.get("tag"),
		Comment: r.get("comment"), Author: r.get("author"),
		Pause: r.flagOr("pause", true), Changes: r.URL.Query()["changes"], Config: body.Config,
	})
	return value(w, http.StatusCreated, answer, err)
}
