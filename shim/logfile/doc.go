// Package logfile writes what a container prints into log files that are Docker's, byte for byte: of its drivers json-file
// and local. Files are rotated, and compressed if that is wanted, between two entries.
//
// An entry is a line, or a part of 16 KiB of a longer one. Entries of one write go out in one write(2), so that 100,000
// lines a second are no matter. What a full disk does not take is lost, and the file stays whole; a shim that is killed
// while it writes may leave half an entry behind, which the next Open removes.
package logfile
