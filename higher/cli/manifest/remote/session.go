package remote

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/moby/moby/api/types/registry"
)

// maxBody is the most that is read of an answer. Manifests are limited to 4 MiB by registries; configs have no such limit.
const maxBody = 16 << 20

// session is what goes on with one repository.
type session struct {
	http       *http.Client
	base       string // https://HOST
	repository string
	agent      string
	auth       registry.AuthConfig
	scope      string // what is done, as servers of tokens want to know it

	challenges []challenge
	tokens     map[string]string // by scope
}

// answer is what a registry has said.
type answer struct {
	status int
	line   string // of the status
	header http.Header
	body   []byte
}

func (a *answer) ok() bool { return a.status >= 200 && a.status < 400 }

// ping asks whether this is a registry, and how it authenticates.
func (s *session) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	r, err := s.send(ctx, http.MethodGet, s.base+"/v2/", nil, nil)
	if err != nil {
		return err
	}
	if r.status == http.StatusUnauthorized {
		s.challenges = challengesOf(r.header)
	}
	return nil
}

// do sends a request about the repository with credentials.
func (s *session) do(ctx context.Context, method, path string, query url.Values, header http.Header, body []byte) (*answer, error) {
	to := s.base + "/v2/" + s.repository + path
	if len(query) > 0 {
		to += "?" + query.Encode()
	}
	h := http.Header{}
	maps.Copy(h, header)
	if err := s.authorize(ctx, h, query.Get("from")); err != nil {
		return nil, &url.Error{Op: method[:1] + strings.ToLower(method[1:]), URL: to, Err: err}
	}
	return s.send(ctx, method, to, h, body)
}

func (s *session) send(ctx context.Context, method, to string, header http.Header, body []byte) (*answer, error) {
	q, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if header != nil {
		q.Header = header
	}
	q.Header.Set("User-Agent", s.agent)
	r, err := s.http.Do(q)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxBody {
		return nil, fmt.Errorf("%s %q: the answer has more than %d bytes", method, to, maxBody)
	}
	return &answer{status: r.StatusCode, line: r.Status, header: r.Header, body: data}, nil
}
