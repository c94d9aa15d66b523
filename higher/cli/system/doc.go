// Package system is the commands about the daemon as a whole, one file each.
package system
