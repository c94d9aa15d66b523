// Package builder is the commands about the cache of builds.
package builder
