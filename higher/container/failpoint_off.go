//go:build !failpoint

package container

// failpoint is where a test build can be told to die (failpoint_on.go).
func failpoint(string) {}
