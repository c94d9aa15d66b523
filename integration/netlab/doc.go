// Package netlab holds end-to-end tests of higher/network: real devices, rules and traffic, each test in a network
// namespace of its own in which it is the host. Other namespaces are its containers and its neighbours.
package netlab
