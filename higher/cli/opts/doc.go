// Package opts reads the values of docker's flags: lists, maps, sizes, filters, mounts, networks, ports. What it makes of them
// are the types of the API.
package opts
