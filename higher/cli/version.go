package cli

// What `dhow version` tells of the program. They are set by the linker (-X), see the Makefile.
var (
	Version = "0.1.0"
	Commit  = "unknown"
	Built   = "unknown"
)
