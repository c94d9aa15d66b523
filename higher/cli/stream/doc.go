// Package stream is the program's standard streams: whether they are terminals, how large these are, and their raw mode.
package stream
