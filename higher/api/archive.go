package api

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"

	"github.com/moby/moby/api/types/container"
)

func (s *Server) archiveRoutes() {
	s.handle("HEAD", "/containers/{}/archive", s.archiveStat)
	s.handle("GET", "/containers/{}/archive", s.archiveGet)
	s.handle("PUT", "/containers/{}/archive", s.archivePut)
	s.handle("GET", "/containers/{}/export", s.containerExport)
}

// setPathStat puts what is known of a path into the header where clients read it.
func setPathStat(w http.ResponseWriter, stat *container.PathStat) error {
	raw, err := json.Marshal(stat)
	if err != nil {
		return err
	}
	w.Header().Set("X-Docker-Container-Path-Stat", base64.StdEncoding.EncodeToString(raw))
	return nil
}

func (r *request) archivePath() (string, error) {
	path := r.get("path")
	if path == "" {
		return "", invalidf("missing required parameter: path")
	}
	return path, nil
}

func (s *Server) archiveStat(w http.ResponseWriter, r *request) error {
	path, err := r.archivePath()
	if err != nil {
		return err
	}
	stat, err := s.Backend.ContainerStatPath(r.Context(), r.name, path)
	if err != nil {
		return err
	}
	return setPathStat(w, stat)
}

func (s *Server) archiveGet(w http.ResponseWriter, r *request) error {
	path, err := r.archivePath()
	if err != nil {
		return err
	}
	tar, stat, err := s.Backend.ContainerArchive(r.Context(), r.name, path)
	if err != nil {
		return err
	}
	defer func() { _ = tar.Close() }()
	if err := setPathStat(w, stat); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-tar")
	if _, err := io.Copy(w, tar); err != nil {
		panic(http.ErrAbortHandler) // a cut stream must not look whole
	}
	return nil
}

func (s *Server) archivePut(w http.ResponseWriter, r *request) error {
	path, err := r.archivePath()
	if err != nil {
		return err
	}
	o := ExtractOptions{NoOverwriteDirNonDir: r.flag("noOverwriteDirNonDir"), CopyUIDGID: r.flag("copyUIDGID")}
	return empty(w, http.StatusOK, s.Backend.ContainerExtract(r.Context(), r.name, path, o, r.Body))
}

func (s *Server) containerExport(w http.ResponseWriter, r *request) error {
	return streamTar(w, func(out io.Writer) error { return s.Backend.ContainerExport(r.Context(), r.name, out) })
}

// streamTar answers with what write writes. An error from before the first byte is a status; a later one cuts the
// connection, so that the client sees that something is missing.
func streamTar(w http.ResponseWriter, write func(io.Writer) error) error {
	out := &lateHead{w: w}
	err := write(out)
	if err != nil && out.started {
		panic(http.ErrAbortHandler)
	}
	return err
}

// lateHead sends the head of a tar answer with its first byte.
type lateHead struct {
	w       http.ResponseWriter
	started bool
}

func (l *lateHead) Write(p []byte) (int, error) {
	if !l.started {
		l.started = true
		l.w.Header().Set("Content-Type", "application/x-tar")
		l.w.WriteHeader(http.StatusOK)
	}
	return l.w.Write(p)
}
