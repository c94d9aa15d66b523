// Package ttrpc serves and makes unary calls of ttrpc (github.com/containerd/ttrpc, PROTOCOL.md) on a unix socket:
// frames with a header of ten bytes around Protocol Buffers messages. Streams, which containerd's task service does
// not use, are refused.
//
// It is there because the module costs each shim three megabytes of memory, for reflection on protobuf descriptors
// and the package net.
package ttrpc
