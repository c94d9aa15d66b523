// Package wire writes and reads the binary encoding of Protocol Buffers
// (https://protobuf.dev/programming-guides/encoding), as much of it as containerd's messages use: varints, doubles,
// strings, bytes and embedded messages. It knows no schema and uses no reflection: the library that does costs every
// shim three megabytes.
package wire
