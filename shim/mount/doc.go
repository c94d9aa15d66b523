// Package mount puts a container's root file system together on the host, from the mounts that containerd's
// snapshotter gives, and takes it apart.
package mount
