package api

import (
	"io"
	"net/http"
	"strings"
)

func (s *Server) imageRoutes() {
	s.handle("GET", "/images/json", s.imageList)
	s.handle("GET", "/images/get", s.imageSave)
	s.handle("POST", "/images/load", s.imageLoad)
	s.handle("POST", "/images/create", s.imageCreate)
	s.handle("POST", "/images/prune", s.imagePrune)
	s.handle("GET", "/images/{*}/get", s.imageSave)
	s.handle("GET", "/images/{*}/json", s.imageInspect)
	s.handle("GET", "/images/{*}/history", s.imageHistory)
	s.handle("POST", "/images/{*}/tag", s.imageTag)
	s.handle("DELETE", "/images/{*}", s.imageDelete)
}

func (s *Server) imageList(w http.ResponseWriter, r *request) error {
	f, err := r.filters()
	if err != nil {
		return err
	}
	images, err := s.Backend.ImageList(r.Context(), ImageListOptions{
		All: r.flag("all"), SharedSize: r.version >= 42 && r.flag("shared-size"), Filters: f,
		Manifests: r.version >= 47 && r.flag("manifests"),
		Identity:  r.version >= 54 && r.flag("identity"),
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shapeImages(images, r.version))
}

func (s *Server) imageInspect(w http.ResponseWriter, r *request) error {
	o := ImageInspectOptions{Manifests: r.version >= 48 && r.flag("manifests")}
	if r.version >= 49 {
		p, err := r.platform("platform")
		if err != nil {
			return err
		}
		o.Platform = p
	}
	if o.Manifests && o.Platform != nil {
		return invalidf("conflicting options: manifests and platform options cannot both be set")
	}
	m, err := s.Backend.ImageInspect(r.Context(), r.name, o)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shapeImage(m, r.version))
}

func (s *Server) imageHistory(w http.ResponseWriter, r *request) error {
	p, err := r.platform("platform")
	if err != nil {
		return err
	}
	history, err := s.Backend.ImageHistory(r.Context(), r.name, p)
	return list(w, history, err)
}

func (s *Server) imageTag(w http.ResponseWriter, r *request) error {
	return empty(w, http.StatusCreated, s.Backend.ImageTag(r.Context(), r.name, r.get("repo"), r.get("tag")))
}

func (s *Server) imageDelete(w http.ResponseWriter, r *request) error {
	platforms, err := r.platforms("platforms")
	if err != nil {
		return err
	}
	deleted, err := s.Backend.ImageDelete(r.Context(), r.name, r.flag("force"), !r.flag("noprune"), platforms)
	return list(w, deleted, err)
}

func (s *Server) imagePrune(w http.ResponseWriter, r *request) error {
	f, err := r.filters()
	if err != nil {
		return err
	}
	report, err := s.Backend.ImagePrune(r.Context(), f)
	return value(w, http.StatusOK, report, err)
}

func (s *Server) imageSave(w http.ResponseWriter, r *request) error {
	names := r.URL.Query()["names"]
	if r.name != "" {
		names = []string{r.name}
	}
	platforms, err := r.platforms("platform")
	if err != nil {
		return err
	}
	return streamTar(w, func(out io.Writer) error { return s.Backend.ImageSave(r.Context(), names, platforms, out) })
}

func (s *Server) imageLoad(w http.ResponseWriter, r *request) error {
	platforms, err := r.platforms("platform")
	if err != nil {
		return err
	}
	p := &progress{w: w}
	report := p.send
	if r.flagOr("quiet", true) {
		report = p.final
	}
	return p.end(s.Backend.ImageLoad(r.Context(), r.Body, platforms, report))
}

// imageCreate is both pull (fromImage) and import (fromSrc).
func (s *Server) imageCreate(w http.ResponseWriter, r *request) error {
	platform, err := r.platform("platform")
	if err != nil {
		return err
	}
	p := &progress{w: w}
	image := r.get("fromImage")
	if image == "" {
		return s.imageImport(r, ImportOptions{
			Repo: r.get("repo"), Tag: r.get("tag"), Message: r.get("message"),
			Changes: r.URL.Query()["changes"], Platform: platform,
		}, p)
	}
	tag := r.get("tag")
	ref, all := strings.TrimSuffix(image, ":"), false
	switch {
	case strings.Contains(tag, ":"):
		ref += "@" + tag
	case tag != "":
		ref += ":" + tag
	default:
		last := ref[strings.LastIndex(ref, "/")+1:]
		all = !strings.ContainsAny(last, ":@")
	}
	return p.end(s.Backend.ImagePull(r.Context(), ref, all, platform, r.registryAuth(), p.send))
}

func (s *Server) imageImport(r *request, o ImportOptions, p *progress) error {
	source := r.get("fromSrc")
	if o.Message == "" {
		o.Message = "Imported from " + source
	}
	switch {
	case source == "-":
		return p.end(s.Backend.ImageImport(r.Context(), o, r.Body, p.send))
	case source == "":
		return invalidf("one of fromImage and fromSrc must be given")
	case !strings.Contains(source, "://"):
		source = "http://" + source
	}
	get, err := http.NewRequestWithContext(r.Context(), http.MethodGet, source, nil)
	if err != nil {
		return invalidf("cannot import from %q: %v", source, err)
	}
	answer, err := http.DefaultClient.Do(get)
	if err != nil {
		return invalidf("%v", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode >= 400 {
		return invalidf("cannot import from %q: %s", source, answer.Status)
	}
	return p.end(s.Backend.ImageImport(r.Context(), o, answer.Body, p.send))
}
