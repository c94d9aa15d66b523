// Package netdev moves network devices of the host into a container's network namespace: linux.netDevices of
// config.json. A device keeps its attributes and its permanent addresses of global scope, gets the name that it is to have
// inside, and is up afterwards (config-linux.md, "Network Devices"). It speaks rtnetlink(7) itself, of which it
// needs four messages.
//
// What becomes of a device when the namespace ends is the kernel's business: a physical one comes back to the
// initial namespace, a virtual one is destroyed.
package netdev
