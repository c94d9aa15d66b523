// Package container is the commands about containers, one file each.
package container
