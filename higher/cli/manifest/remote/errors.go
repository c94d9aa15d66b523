package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// problem is an error as a registry writes it.
type problem struct {
	Code, Message string
	Detail        any
}

// messages are what codes mean. A registry that says just that and no detail is quoted by the code alone, as in docker.
var messages = map[string]string{
	"UNAUTHORIZED":     "authentication required",
	"DENIED":           "requested access to the resource is denied",
	"TOOMANYREQUESTS":  "too many requests",
	"UNAVAILABLE":      "service unavailable",
	"UNSUPPORTED":      "The operation is unsupported.",
	"MANIFEST_UNKNOWN": "manifest unknown",
	"NAME_UNKNOWN":     "repository name not known to registry",
}

// others are further codes that docker knows.
var others = []string{"DIGEST_INVALID", "SIZE_INVALID", "RANGE_INVALID", "NAME_INVALID", "TAG_INVALID", "MANIFEST_INVALID", "MANIFEST_UNVERIFIED",
	"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "PAGINATION_NUMBER_INVALID"}

func (p problem) text() string {
	code := p.Code
	if messages[code] == "" && !slices.Contains(others, code) {
		code = "UNKNOWN"
	}
	words := strings.ToLower(strings.ReplaceAll(code, "_", " "))
	if p.Detail == nil && (p.Message == "" || p.Message == messages[code]) {
		return words
	}
	return words + ": " + p.Message
}

// refusal is an answer that is an error.
type refusal struct {
	problems []problem
	garbled  string // instead, of an answer that is none of a registry
}

func (e *refusal) Error() string {
	switch len(e.problems) {
	case 0:
		return e.garbled
	case 1:
		return e.problems[0].text()
	}
	text := "errors:\n"
	for _, p := range e.problems {
		text += p.text() + "\n"
	}
	return text
}

// elsewhere says whether another address of the registry may have what this one has not. A refusal inside of another error is
// that of a server of tokens.
func elsewhere(err error) bool {
	r, ok := err.(*refusal)
	if !ok {
		return false
	}
	return len(r.problems) == 0 || slices.Contains([]string{"UNAUTHORIZED", "MANIFEST_UNKNOWN", "NAME_UNKNOWN"}, r.problems[0].Code)
}

// err is what an answer says that is no success.
func (a *answer) err() error {
	if a.status < 400 || a.status > 499 {
		return fmt.Errorf("received unexpected HTTP status: %s", a.line)
	}
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if kind != "application/json" && kind != "application/vnd.api+json" {
		return a.plain(string(a.body))
	}
	var doc struct {
		Details string
		Errors  []problem
	}
	err := json.Unmarshal(a.body, &doc)
	switch {
	case err == nil && doc.Details != "":
		return a.plain(doc.Details)
	case err == nil && len(doc.Errors) > 0:
		return &refusal{problems: doc.Errors}
	case a.status == http.StatusUnauthorized:
		return a.plain(messages["UNAUTHORIZED"])
	case err == nil:
		err = errors.New("no error details found in HTTP response body")
	}
	return &refusal{garbled: fmt.Sprintf("error parsing HTTP %d response body: %s: %q", a.status, err, a.body)}
}

// plain is an error in no form that a registry should use.
func (a *answer) plain(message string) error {
	code := map[int]string{http.StatusUnauthorized: "UNAUTHORIZED", http.StatusForbidden: "DENIED", http.StatusTooManyRequests: "TOOMANYREQUESTS"}[a.status]
	return &refusal{problems: []problem{{Code: code, Message: message, Detail: true}}}
}
