// Package checkpoint has criu(8) save processes to image files and restore them: it finds the program, starts
// it as `criu swrk`, talks to it in its RPC (https://criu.org/RPC), and says why it failed. What a container
// is made of belongs to package container, which fills in a Job and answers criu's notifications.
//
// The messages are those of go-criu's package rpc. Since version 8 that is generated code without
// reflection and without a registry: linking it costs 92 KiB, and 4 µs at start-up (GODEBUG=inittrace=1), for
// eight small maps.
package checkpoint
