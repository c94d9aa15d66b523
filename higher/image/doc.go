// Package image holds the engine's images: it pulls, pushes, loads, saves, lists and removes them, and gives containers
// their root file systems. It is made of containerd's own libraries, in process: the content store (blobs by digest), the
// metadata database in bbolt with leases and garbage collection, the overlay snapshotter, the resolver and the unpacker.
//
// A [Manager] implements api.Images. An image is known by the digest of what its name points to (a manifest, or an index of
// manifests), as in dockerd with the containerd store. The containers' side is [Manager.Resolve], [Manager.Prepare],
// [Manager.Mounts] and [Manager.Release].
//
// What is being made is held by a lease until the image that has it is recorded, in that order. So a process that is killed
// leaves no half image: a lease of before is an interrupted pull's, which goes on where it was when the pull is asked for
// again, and which runs out after a day.
package image
