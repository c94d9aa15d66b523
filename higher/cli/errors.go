package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/moby/client"

	"github.com/dhow-containers/dhow/higher/cli/connect"
)

// StatusError ends the program with a code. An empty message prints nothing: the container has said what there was to say.
type StatusError struct {
	Code    int
	Message string
	Cause   error
}

func (e *StatusError) Error() string {
	switch {
	case e.Message != "":
		return e.Message
	case e.Cause != nil:
		return e.Cause.Error()
	}
	return "exit status " + strconv.Itoa(e.Code)
}

func (e *StatusError) Unwrap() error { return e.Cause }

// Exit is the end with a code and no words.
func Exit(code int) error {
	if code == 0 {
		return nil
	}
	return &StatusError{Code: code}
}

// WithHelp adds what docker adds to the errors of run and create.
func WithHelp(err error, command string) error {
	return fmt.Errorf("dhow: %w\n\nRun 'dhow %s --help' for more information", err, command)
}

// ErrCancelled says that a signal came instead of an answer.
var ErrCancelled = errors.New("prompt terminated")

// Words puts an error that comes from no daemon into docker's words with our names.
func Words(err error) error {
	if start := (*connect.StartError)(nil); errors.As(err, &start) {
		return start
	}
	if !client.IsErrConnectionFailed(err) {
		return err
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "permission denied"):
		return fmt.Errorf("permission denied while trying to connect to the daemon's socket; be root, or in the group docker or dhow: %w", unwrapped(err))
	case strings.Contains(text, "failed to connect to the docker API at "):
		_, host, _ := strings.Cut(text, "failed to connect to the docker API at ")
		host, _, _ = strings.Cut(host, ";")
		host, _, _ = strings.Cut(host, ": dial")
		return Capital("Cannot connect to the Docker daemon at " + strings.TrimSuffix(host, ".") + ". Is the docker daemon running?")
	}
	return err
}

func unwrapped(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// Capital is an error in docker's own words, which scripts look for; so it may begin with a capital letter.
type Capital string

func (c Capital) Error() string { return string(c) }
