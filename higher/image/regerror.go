package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	remoteerrors "github.com/containerd/containerd/v2/core/remotes/errors"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
)

// denied is how registries say that they do not let one in, and Docker when they say nothing.
const denied = "denied: requested access to the resource is denied"

// said is what a registry wrote about an error, as Docker repeats it: `code: message`.
func said(err error) string {
	code, message := answered(err)
	if code == "" {
		return ""
	}
	return code + ": " + message
}

// answered is the first error that a registry wrote: its code in words, and what it means.
func answered(err error) (code, message string) {
	var status remoteerrors.ErrUnexpectedStatus
	if !errors.As(err, &status) {
		return "", ""
	}
	var doc struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(status.Body, &doc) != nil || len(doc.Errors) == 0 {
		return "", ""
	}
	e := doc.Errors[0]
	code = strings.ReplaceAll(strings.ToLower(e.Code), "_", " ")
	return code, or(e.Message, code)
}

// statusOf is the HTTP status that an error is about, or 0.
func statusOf(err error) int {
	var status remoteerrors.ErrUnexpectedStatus
	if errors.As(err, &status) {
		return status.StatusCode
	}
	return 0
}

// unauthorized says whether a registry did not let us in.
func unauthorized(err error) bool {
	code := statusOf(err)
	return code == http.StatusUnauthorized || code == http.StatusForbidden || errors.Is(err, docker.ErrInvalidAuthorization)
}

// noLogin is what the library says when a registry wants a name and a password and there are none.
const noLogin = "no basic auth credentials"

// pullError is an error of a pull in the words of dockerd, which are containerd's but for a few.
func pullError(named reference.Named, err error) error {
	if errors.Is(err, docker.ErrInvalidAuthorization) && !strings.Contains(err.Error(), noLogin) {
		return api.Errorf(errdefs.ErrNotFound, "pull access denied for %s, repository does not exist or may require 'docker login'", reference.FamiliarName(named))
	}
	return transferError(err)
}

// transferError repeats what a registry wrote, where it wrote something.
func transferError(err error) error {
	_, message := answered(err)
	switch {
	case message == "" && statusOf(err) == 0:
		return err
	case message == "":
		return fmt.Errorf("unknown: %w", err)
	}
	class := err
	if statusOf(err) == http.StatusTooManyRequests {
		class = errdefs.ErrResourceExhausted
	}
	return api.Errorf(class, "error from registry: %s", message)
}

// unresolved is the error of a name that a registry has not answered to.
func unresolved(named reference.Named, err error) error {
	return fmt.Errorf("failed to resolve reference %q: %w", named.String(), err)
}

// askError is an error of a question that dockerd asks a registry by a library of its own: for tags, and for what is under
// a name. That asks for the version first.
func (s *session) askError(named reference.Named, method, rest string, err error) error {
	switch {
	case strings.Contains(err.Error(), noLogin):
		return fmt.Errorf("%s %q: %s", method, s.base()+reference.Path(named)+rest, noLogin)
	case statusOf(err) == http.StatusForbidden:
		return api.Errorf(errdefs.ErrNotFound, "pull access denied for %s, repository does not exist or may require 'docker login': %s", reference.FamiliarName(named), or(said(err), denied))
	case unauthorized(err):
		return api.Errorf(errdefs.ErrUnauthenticated, "%s", or(said(err), "unauthorized: authentication required"))
	case statusOf(err) == http.StatusTooManyRequests:
		return api.Errorf(errdefs.ErrResourceExhausted, "toomanyrequests: %s", or(said(err), "the registry wants fewer requests"))
	case ofNetwork(err):
		return s.unreached(err)
	}
	return err
}

// base is where the registry's answers begin, as dockerd tells it: an insecure one is asked without TLS in the end.
func (s *session) base() string {
	h := s.own()
	scheme := h.Scheme
	if s.m.insecure(s.ctx, h.Host) {
		scheme = "http"
	}
	return scheme + "://" + h.Host + h.Path + "/"
}

// unreached is the error of a registry that cannot be asked for its version.
func (s *session) unreached(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	return api.Errorf(err, "Get %q: %v", s.base(), err)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
