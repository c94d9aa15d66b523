// Package engine holds the end-to-end tests of dhowd and dhow: command lines typed at a real daemon, in network and mount
// namespaces of their own, by the real docker CLI and by ours.
package engine
