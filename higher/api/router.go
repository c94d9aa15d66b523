package api

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/containerd/errdefs"
)

// Server is the API as an http.Handler.
type Server struct {
	Backend Backend
	Log     *slog.Logger
	// Release is the engine's version, in the Server header.
	Release string
	// BuilderVersion is what clients read from GET /_ping to choose how they build: "1" for POST /build, "2" for BuildKit.
	BuilderVersion string
	// Extensions are asked before the API's own routes.
	Extensions []Extension

	routes []route
}

// handler serves one route. An error that it returns has not been answered yet.
type handler func(w http.ResponseWriter, r *request) error

// request is an HTTP request, its API version and what its path named.
type request struct {
	*http.Request
	version Version
	name    string
}

// route is a method and a path, cut where the name is: `{}` stands for one segment, `{*}` for one or more, as the names
// of images have slashes.
type route struct {
	method       string
	before, name string
	after        string
	serve        handler
}

// Init makes the routes. It is called once, before the server serves.
func (s *Server) Init() {
	for _, add := range []func(){
		s.containerRoutes, s.streamRoutes, s.execRoutes, s.archiveRoutes,
		s.imageRoutes, s.registryRoutes, s.networkRoutes, s.volumeRoutes, s.systemRoutes, s.swarmRoutes, s.buildRoutes,
	} {
		add()
	}
}

func (s *Server) handle(method, path string, h handler) {
	r := route{method: method, before: path, serve: h}
	for _, name := range []string{"{*}", "{}"} {
		if before, after, ok := strings.Cut(path, name); ok {
			r.before, r.name, r.after = before, name, after
			break
		}
	}
	s.routes = append(s.routes, r)
}

// match returns what the path names, if it is the route's.
func (r *route) match(path string) (name string, ok bool) {
	if r.name == "" {
		return "", path == r.before
	}
	name, ok = strings.CutPrefix(path, r.before)
	if !ok {
		return "", false
	}
	if name, ok = strings.CutSuffix(name, r.after); !ok || name == "" {
		return "", false
	}
	return name, r.name == "{*}" || !strings.Contains(name, "/")
}

// ServeHTTP serves one request of the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	h := w.Header()
	h.Set("Api-Version", MaxVersion.String())
	h.Set("Docker-Experimental", "false")
	h.Set("Ostype", "linux")
	h.Set("Server", "dhow/"+s.Release+" (linux)")
	version, path, err := splitVersion(hr.URL.Path)
	if err != nil {
		s.fail(w, hr, err)
		return
	}
	hr.URL.Path = path
	for _, e := range s.Extensions {
		if e.Match(hr) {
			e.ServeHTTP(w, hr)
			return
		}
	}
	for i := range s.routes {
		route := &s.routes[i]
		if route.method != hr.Method {
			continue
		}
		if name, ok := route.match(path); ok {
			if err := route.serve(w, &request{hr, version, name}); err != nil {
				s.fail(w, hr, err)
			}
			return
		}
	}
	s.fail(w, hr, Errorf(errdefs.ErrNotFound, "page not found"))
}

// fail answers with an error: https://docs.docker.com/reference/api/engine/version/v1.51/#section/Errors.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	code := status(err)
	level := slog.LevelDebug
	if code == http.StatusInternalServerError {
		level = slog.LevelError
	}
	s.Log.Log(r.Context(), level, "request failed", "method", r.Method, "path", r.URL.Path, "status", code, "error", err)
	if code == http.StatusNotModified {
		w.WriteHeader(code)
		return
	}
	_ = writeJSON(w, code, map[string]string{"message": err.Error()})
}
