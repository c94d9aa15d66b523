// Package context is the commands about contexts, one file each.
package context
