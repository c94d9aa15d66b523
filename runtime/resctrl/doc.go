// Package resctrl gives containers shares of the processors' caches and memory bandwidth: linux.intelRdt of
// config.json (config-linux.md, "IntelRdt"). The kernel's interface is the file system resctrl
// (Documentation/filesystems/resctrl.rst): a directory for each class of service, with the file schemata for what the
// class may use and the file tasks for who belongs to it, and below it directories of groups that are only
// watched.
package resctrl
