// Package volume gives containers their storage: volumes of the local driver, directories of the host, and what
// `-v`, `--mount`, VOLUME and `--volumes-from` come to.
//
// A [Manager] keeps volumes as records in the engine's database and as directories below its root, NAME/_data. A volume
// with driver options (type, o, device) is a mount on that directory, made when the first container that uses the volume
// starts and taken away when the last one has ended.
//
// The life of a container, as its side calls it:
//
//	Use (at create) → Populate (at create, with the container's root) → Mount (before each start) …
//	Unmount (after each exit) … Drop (at remove)
//
// Who uses a volume is known from Use to Drop; after a restart of the daemon, from Refer, which is called for each
// container that there is.
package volume
