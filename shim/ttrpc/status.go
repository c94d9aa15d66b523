package ttrpc

import (
	"errors"
	"fmt"

	"github.com/dhow-containers/dhow/shim/wire"
)

// Code is a gRPC status code (https://grpc.io/docs/guides/status-codes), which containerd's clients turn back into
// the errors of github.com/containerd/errdefs.
type Code int

// The codes that are used here.
const (
	OK                 Code = 0
	Unknown            Code = 2
	InvalidArgument    Code = 3
	DeadlineExceeded   Code = 4
	NotFound           Code = 5
	AlreadyExists      Code = 6
	ResourceExhausted  Code = 8
	FailedPrecondition Code = 9
	Unimplemented      Code = 12
)

// Error is an error with a code, a google.rpc.Status.
type Error struct {
	Code    Code
	Message string
}

// Errorf makes an Error.
func Errorf(c Code, format string, args ...any) *Error {
	return &Error{c, fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return e.Message }

// Encode writes the google.rpc.Status.
func (e *Error) Encode(w *wire.Encoder) {
	w.Int(1, int64(e.Code))
	w.String(2, e.Message)
}

// Field takes a field of the google.rpc.Status.
func (e *Error) Field(number int, v wire.Value) error {
	switch number {
	case 1:
		e.Code = Code(v.Uint)
	case 2:
		e.Message = v.String()
	}
	return nil
}

// CodeOf is the code of an error.
func CodeOf(err error) Code { return statusOf(err).Code }

// statusOf gives err its code, by the marker methods that github.com/containerd/errdefs knows errors by.
func statusOf(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return &Error{own.Code, err.Error()}
	}
	code := Unknown
	switch {
	case is[interface{ NotFound() }](err):
		code = NotFound
	case is[interface{ AlreadyExists() }](err):
		code = AlreadyExists
	case is[interface{ InvalidParameter() }](err):
		code = InvalidArgument
	case is[interface{ Conflict() }](err):
		code = FailedPrecondition
	case is[interface{ NotImplemented() }](err):
		code = Unimplemented
	}
	return &Error{code, err.Error()}
}

func is[T any](err error) bool {
	var t T
	return errors.As(err, &t)
}
