// Package dbus is as much of D-Bus as it takes to talk to systemd: method calls
// and signals over a Unix socket, to a bus daemon or directly to a peer that
// speaks the protocol, as systemd does on its private socket. Messages are those
// of the D-Bus specification, written in little endian; descriptors are not
// passed. ParseText reads values in the text format of GVariant.
//
// It stands in for a library because it is on the path of a container's start:
// it uses neither package net nor reflection, and does nothing before main.
package dbus
