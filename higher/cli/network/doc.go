// Package network is the commands about networks, one file each.
package network
