//go:build !embedseccomp && !cgo

package seccomp

import "errors"

func compile([]byte, string) ([]byte, error) {
	return nil, errors.New("cannot compile the seccomp profile: built without libseccomp" +
		" (build with -tags embedseccomp, see runtime/seccomp, or with cgo)")
}

func compilerID() string { return "none" }
