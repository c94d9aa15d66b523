// Package log reads what the shim has logged of a container's output: json-file in Docker's format, and local; rotated
// files, compressed ones among them, and what is still being written.
package log
