// Package oci makes the configuration of a container for the runtime (config.json) from what a client asked for: a
// Config and a HostConfig of the Engine API. [Check] is for when a container is made: it says what is wrong in Docker's
// words, fills in defaults, and returns warnings. [Spec] is for each start.
//
// What this host or this engine cannot do is an error that names the flag, or one of Docker's warnings; no field is
// ignored.
package oci
