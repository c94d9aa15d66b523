// Package volume is the commands about volumes, one file each.
package volume
