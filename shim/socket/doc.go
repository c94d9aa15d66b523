// Package socket makes unix sockets without the package net, at paths of any length, for processes of one user, and passes
// descriptors over them.
package socket
