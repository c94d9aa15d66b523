// Package localtar is this host's side of `dhow cp`: archives of local files, and archives from containers extracted here. What
// comes from a container is not trusted: nothing is written outside the destination, whatever names and links are in it.
package localtar
