package container

import (
	"errors"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
)

// Exit codes of a container whose command could not be run.
const (
	exitCannotInvoke = 126
	exitNotFound     = 127
	exitUnknown      = 128
)

// startFailure is why a process was not started, and the exit code that stands for it.
type startFailure struct {
	error
	code int
}

func (e *startFailure) Unwrap() error { return e.error }

// startError gives an error of the runtime the class, the words and the exit code that clients go by: the docker CLI
// looks in the text for what makes it exit with 126 or 127. A hint behind it says the same at more length.
func startError(err error, before string) error {
	text, _, _ := strings.Cut(err.Error(), "; hint: ")
	has := func(words string) bool { return strings.Contains(strings.ToLower(text), words) }
	code, class := exitUnknown, error(errdefs.ErrUnknown)
	switch {
	case has("permission denied"):
		code = exitCannotInvoke
	case has("is a directory"):
		code, text = exitCannotInvoke, text+": permission denied"
	case has("not a directory"), has("move_mount: invalid argument"): // which is how the kernel says that a mount does not fit
		code, text = exitNotFound, text+": Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type"
	case has("executable file not found"), has("no such file or directory"):
		code = exitNotFound
	}
	switch {
	case code != exitUnknown:
		class = errdefs.ErrInvalidArgument
	case errdefs.IsConflict(err), errdefs.IsInvalidArgument(err), errdefs.IsNotFound(err):
		class = err
	}
	if code == exitUnknown {
		text = err.Error()
	}
	return &startFailure{api.Errorf(class, "%s", before+text), code}
}

// exitCode is the one that stands for an error; 0 if none was chosen.
func exitCode(err error) int {
	var f *startFailure
	if errors.As(err, &f) {
		return f.code
	}
	return 0
}
