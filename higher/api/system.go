package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/system"
)

func (s *Server) systemRoutes() {
	s.handle("GET", "/_ping", s.ping)
	s.handle("HEAD", "/_ping", s.ping)
	s.handle("GET", "/info", s.info)
	s.handle("GET", "/version", s.versionInfo)
	s.handle("GET", "/system/df", s.diskUsage)
	s.handle("GET", "/events", s.events)
}

func (s *Server) ping(w http.ResponseWriter, r *request) error {
	h := w.Header()
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
	h.Set("Pragma", "no-cache")
	h.Set("Builder-Version", s.BuilderVersion)
	h.Set("Swarm", "inactive")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if r.Method == http.MethodHead {
		h.Set("Content-Length", "0")
		return nil
	}
	_, err := w.Write([]byte("OK"))
	return err
}

func (s *Server) info(w http.ResponseWriter, r *request) error {
	info, err := s.Backend.SystemInfo(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shapeInfo(info, r.version))
}

func (s *Server) versionInfo(w http.ResponseWriter, r *request) error {
	v, err := s.Backend.SystemVersion(r.Context())
	return value(w, http.StatusOK, v, err)
}

func (s *Server) diskUsage(w http.ResponseWriter, r *request) error {
	var objects []system.DiskUsageObject
	types := r.URL.Query()["type"]
	if r.version < 42 { // which did not know the parameter
		types = nil
	}
	for _, t := range types {
		switch o := system.DiskUsageObject(t); o {
		case system.ContainerObject, system.ImageObject, system.VolumeObject, system.BuildCacheObject:
			objects = append(objects, o)
		default:
			return invalidf("unknown object type: %s", t)
		}
	}
	if objects == nil {
		objects = []system.DiskUsageObject{system.ContainerObject, system.ImageObject, system.VolumeObject, system.BuildCacheObject}
	}
	verbose := r.version >= 52 && r.flag("verbose")
	// With lists in any case: who does not ask for `verbose` does not know the sums, and reads the lists of old versions.
	usage, err := s.Backend.SystemDiskUsage(r.Context(), objects, true)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shapeUsage(usage, r.version, verbose))
}

// eventFilters are the keys that filter events.
var eventFilters = []string{
	"config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret",
	"service", "type", "volume",
}

func (s *Server) events(w http.ResponseWriter, r *request) error {
	since, err := r.moment("since")
	if err != nil {
		return err
	}
	if r.get("since") == "0" {
		since = time.Unix(0, 0) // all that is known, where no time stands for what is to come
	}
	until, err := r.moment("until")
	if err != nil {
		return err
	}
	if !until.IsZero() && until.Before(since) {
		return invalidf("`since` time (%s) cannot be after `until` time (%s)", r.get("since"), r.get("until"))
	}
	f, err := r.filters()
	if err != nil {
		return err
	}
	for key := range f {
		if !slices.Contains(eventFilters, key) {
			return invalidf("invalid filter '%s'", key)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := http.NewResponseController(w).Flush(); err != nil {
		return nil
	}
	err = s.Backend.SystemEvents(r.Context(), since, until, f, func(m events.Message) error {
		if r.version < 52 {
			return emit(w, legacyEvent(m))
		}
		return emit(w, m)
	})
	if err != nil && r.Context().Err() == nil {
		s.Log.Debug("events ended", "error", err)
	}
	return nil
}

// legacyEvent has the fields status, id and from that events of containers and images had until 1.51.
func legacyEvent(m events.Message) any {
	extra := map[string]any{}
	switch m.Type {
	case events.ContainerEventType:
		extra["status"], extra["id"], extra["from"] = m.Action, m.Actor.ID, m.Actor.Attributes["image"]
	case events.ImageEventType:
		extra["status"], extra["id"] = m.Action, m.Actor.ID
	}
	return with{m, extra}
}
