package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	var status remoteerrors.ErrUnexpectedStatus
	if !errors.As(err, &status) {
		return ""
	}
	var doc struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(status.Body, &doc) != nil || len(doc.Errors) == 0 {
		return ""
	}
	e := doc.Errors[0]
	code := strings.ReplaceAll(strings.ToLower(e.Code), "_", " ")
	if e.Message == "" {
		e.Message = code
	}
	return code + ": " + e.Message
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

// pullError is an error of a pull in Docker's words.
func pullError(named reference.Named, err error) error {
	switch {
	case strings.Contains(err.Error(), "no basic auth credentials"):
		return fmt.Errorf("cannot pull %s: no basic auth credentials", reference.FamiliarString(named))
	case unauthorized(err):
		why := said(err)
		if why == "" {
			why = denied
		}
		return api.Errorf(errdefs.ErrNotFound, "pull access denied for %s, repository does not exist or may require 'docker login': %s", reference.FamiliarName(named), why)
	case statusOf(err) == http.StatusNotFound, errdefs.IsNotFound(err):
		return api.Errorf(errdefs.ErrNotFound, "manifest for %s not found: manifest unknown: manifest unknown", reference.FamiliarString(named))
	case statusOf(err) == http.StatusTooManyRequests:
		return api.Errorf(errdefs.ErrResourceExhausted, "toomanyrequests: %s", or(said(err), "the registry wants fewer requests"))
	}
	if why := said(err); why != "" {
		return fmt.Errorf("error from registry: %s", why)
	}
	if ofNetwork(err) {
		return plainRequest(err)
	}
	return fmt.Errorf("cannot pull %s: %w", reference.FamiliarString(named), err)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// plainRequest takes the library's own words from an error of a request.
func plainRequest(err error) error {
	text := err.Error()
	if _, rest, ok := strings.Cut(text, "failed to do request: "); ok {
		return api.Errorf(err, "%s", rest)
	}
	return err
}
